/*
 * exchange_questions.c - what will go wrong when this exchange is published to?
 *
 *     is it there?         a passive declare; of the default exchange: is the
 *                          queue that the routing key names
 *     is it as `declare`?  the active one, where it is there
 *     may it be written?   a message whose time to live is a word: RabbitMQ
 *                          judges the permission, and then refuses that, so
 *                          that no queue gets it; only RabbitMQ is asked so
 *
 * Threads: the one that asks.
 */
#include "exchange_questions.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <weir/share.h>

#include "amqp_inquiry.h"
#include "exchange.h"

enum { WHERE_SIZE = 300, MIB = 1024 * 1024 };

/* What a message may be at most, unless rabbitmq.conf says otherwise. */
enum { LARGEST_BEFORE_4 = 128 * MIB, LARGEST_FROM_4 = 16 * MIB };

static bool is_template(const char *text)
{
    return strstr(text, "%{") != NULL;
}

static const char *text_of(const struct amqp_inquiry *inquiry, const char *path)
{
    const char *text = weir_settings_string(inquiry->settings, path);

    return text ? text : "";
}

static void find_missing(struct amqp_inquiry *inquiry, const char *where)
{
    if (weir_settings_has(inquiry->settings, "declare"))
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                          "it is not there yet: `declare` will make it");
    else
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                          "create it, check `exchange`, or write `declare`",
                          "it is not there, and is waited for");
}

/* It was there a moment ago: nothing is made, only compared. */
static void ask_whether_alike(struct amqp_inquiry *inquiry, const char *where,
                              const char *exchange)
{
    struct amqp_answer answer;

    if (!weir_settings_has(inquiry->settings, "declare") ||
        !inquiry->link.connection)
        return;
    if (exchange_declare(&inquiry->link, inquiry->settings, exchange, NULL) !=
        WEIR_OK)
        return;
    answer = amqp_inquiry_answer(inquiry);
    if (answer.code == 406)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                          "make `declare` equal, or leave it out",
                          "it is not as `declare` says: %s", answer.text);
    else if (answer.code != 0)
        amqp_inquiry_refused(inquiry, where, "configure it", &answer);
}

/* The broker closes the channel for the message, or, where it is none to be
 * refused, answers the question that follows. */
static void ask_whether_writable(struct amqp_inquiry *inquiry,
                                 const char *where, const char *exchange)
{
    const amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_EXPIRATION_FLAG,
        .expiration = amqp_cstring_bytes("weir-asks")};
    struct amqp_answer answer;

    if (!amqp_inquiry_is_rabbitmq(inquiry) || !inquiry->link.connection)
        return;
    (void)amqp_basic_publish(inquiry->link.connection, AMQP_LINK_CHANNEL,
                             amqp_cstring_bytes(exchange), amqp_empty_bytes, 0,
                             0, &properties, amqp_empty_bytes);
    answer = amqp_inquiry_exchange(inquiry, "amq.direct");
    if (answer.code == 406)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                          "it is there, and may be written");
    else if (answer.code != 0)
        amqp_inquiry_refused(inquiry, where, "write to it", &answer);
}

static void ask_exchange(struct amqp_inquiry *inquiry, const char *exchange)
{
    const struct amqp_answer answer = amqp_inquiry_exchange(inquiry, exchange);
    char where[WHERE_SIZE];

    (void)snprintf(where, sizeof where, "exchange %s", exchange);
    if (answer.code == 404) {
        find_missing(inquiry, where);
    } else if (answer.code != 0) {
        amqp_inquiry_refused(inquiry, where, "see it", &answer);
    } else {
        ask_whether_alike(inquiry, where, exchange);
        ask_whether_writable(inquiry, where, exchange);
        weir_findings_add(
            inquiry->findings, WEIR_SEVERITY_UNKNOWN, where, NULL,
            "whether a queue takes its messages " AMQP_INQUIRY_OPEN);
    }
}

/* The default exchange leads to the queue that the routing key names. */
static void ask_queue(struct amqp_inquiry *inquiry, const char *queue)
{
    const bool is_mandatory =
        weir_settings_bool(inquiry->settings, "mandatory", true);
    uint32_t messages = 0, consumers = 0;
    const struct amqp_answer answer =
        amqp_inquiry_queue(inquiry, queue, &messages, &consumers);
    char where[WHERE_SIZE];

    (void)snprintf(where, sizeof where, "queue %s", queue);
    if (answer.code == 404)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                          "create it, or check `routing_key`",
                          is_mandatory
                              ? "it is not there: every message is rejected"
                              : "it is not there: every message is lost");
    else if (answer.code != 0)
        amqp_inquiry_refused(inquiry, where, "see it", &answer);
    else
        ask_whether_writable(inquiry, where, "");
}

static void compare_size(struct amqp_inquiry *inquiry)
{
    const struct weir_share *share = weir_settings_share(inquiry->settings);
    const size_t largest =
        amqp_inquiry_major(inquiry) >= 4 ? LARGEST_FROM_4 : LARGEST_BEFORE_4;

    if (amqp_inquiry_is_rabbitmq(inquiry) && share->max_message_bytes > largest)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_WARNING, "messages",
                          "see its max_message_size, or lower "
                          "`max_message_bytes`",
                          "`max_message_bytes` lets %zu bytes in, and RabbitMQ "
                          "%s takes %zu unless told otherwise",
                          share->max_message_bytes, inquiry->version, largest);
}

static void ask_all(struct amqp_inquiry *inquiry)
{
    const char *exchange = text_of(inquiry, "exchange");
    const char *routing_key = text_of(inquiry, "routing_key");
    const char *named = exchange[0] ? exchange : routing_key;

    compare_size(inquiry);
    if (is_template(named))
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_UNKNOWN,
                          exchange[0] ? "exchange" : "routing_key", NULL,
                          "each message names its own: whether it is there is "
                          "known with the message");
    else if (exchange[0])
        ask_exchange(inquiry, exchange);
    else
        ask_queue(inquiry, routing_key);
}

void exchange_questions_ask(const struct weir_settings *settings,
                            int64_t deadline_us, struct weir_findings *findings)
{
    struct amqp_inquiry inquiry = {
        .settings = settings, .findings = findings, .deadline_us = deadline_us};

    if (amqp_inquiry_open(&inquiry) == WEIR_OK)
        ask_all(&inquiry);
    amqp_inquiry_close(&inquiry);
}
