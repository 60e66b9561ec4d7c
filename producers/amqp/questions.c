/*
 * questions.c - what will go wrong when this queue is consumed?
 *
 *     is it there?          a passive declare
 *     is it as `declare`?   the active one, where it is there: no more than a
 *                           comparison
 *     may it be read?       a consume whose priority is a word: the permission
 *                           is judged before the arguments are refused
 *     how was it declared?  the management plugin; else what differs from a
 *                           declare that can't be carried out (comparison.c)
 *     its policies          the management plugin, or nobody
 *
 * Those that count on an order of checks are RabbitMQ's, and only it is asked
 * them.
 *
 * Threads: the one that asks.
 */
#include "questions.h"

#include <stdio.h>
#include <string.h>

#include <weir/share.h>

#include "amqp_inquiry.h"
#include "comparison.h"
#include "management.h"
#include "queue.h"
#include "queue_judgement.h"

enum { WHERE_SIZE = 300 };

static const char *name_of(const struct amqp_inquiry *inquiry)
{
    return weir_settings_string(inquiry->settings, "queue");
}

static void find_missing(struct amqp_inquiry *inquiry, const char *where)
{
    if (weir_settings_has(inquiry->settings, "declare"))
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                          "it is not there yet: `declare` will make it");
    else
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                          "create it, check `queue`, or write `declare`",
                          "it is not there");
}

static void judge_consumers(struct amqp_inquiry *inquiry, const char *where,
                            uint32_t messages, uint32_t consumers)
{
    const bool is_exclusive =
        weir_settings_bool(inquiry->settings, "exclusive", false);

    if (is_exclusive && consumers > 0)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_WARNING, where,
                          "stop the other one, or it is waited for",
                          "%u consumers have it, and `exclusive` wants to be "
                          "the only one",
                          consumers);
    else
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                          "%u messages wait, %u consumers", messages,
                          consumers);
}

/* True: it is there. */
static bool ask_whether_there(struct amqp_inquiry *inquiry, const char *where)
{
    uint32_t messages = 0, consumers = 0;
    const struct amqp_answer answer =
        amqp_inquiry_queue(inquiry, name_of(inquiry), &messages, &consumers);

    if (answer.code == 404)
        find_missing(inquiry, where);
    else if (answer.code != 0)
        amqp_inquiry_refused(inquiry, where, "see it", &answer);
    else
        judge_consumers(inquiry, where, messages, consumers);
    return answer.code == 0;
}

/* It was there a moment ago: nothing is made, only compared. */
static void ask_whether_alike(struct amqp_inquiry *inquiry, const char *where)
{
    const amqp_queue_declare_ok_t *reply = NULL;
    struct weir_error err = {.text = ""};
    struct amqp_answer answer;

    if (!weir_settings_has(inquiry->settings, "declare") ||
        !inquiry->link.connection)
        return;
    if (queue_declare(&inquiry->link, inquiry->settings, &reply, &err) !=
        WEIR_OK)
        return;
    answer = amqp_inquiry_answer(inquiry);
    if (answer.code == 406)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                          "make `declare` equal, or leave it out",
                          "it is not as `declare` says: %s", answer.text);
    else if (answer.code != 0)
        amqp_inquiry_refused(inquiry, where, "configure it", &answer);
    else
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                          "it is as `declare` says");
}

static void ask_whether_readable(struct amqp_inquiry *inquiry,
                                 const char *where)
{
    amqp_table_entry_t entry = {
        .key = amqp_cstring_bytes("x-priority"),
        .value = {.kind = AMQP_FIELD_KIND_UTF8,
                  .value = {.bytes = amqp_cstring_bytes("weir-asks")}}};
    const amqp_table_t arguments = {.num_entries = 1, .entries = &entry};
    struct amqp_answer answer;

    if (!amqp_inquiry_is_rabbitmq(inquiry) || !inquiry->link.connection)
        return;
    (void)amqp_basic_consume(inquiry->link.connection, AMQP_LINK_CHANNEL,
                             amqp_cstring_bytes(name_of(inquiry)),
                             amqp_empty_bytes, 0, 0, 0, arguments);
    answer = amqp_inquiry_answer(inquiry);
    if (answer.code == 406)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                          "it may be read");
    else
        amqp_inquiry_refused(inquiry, where, "read it", &answer);
}

static void ask_management(struct amqp_inquiry *inquiry, const char *where)
{
    struct amqp_management *management = NULL;
    struct amqp_queue_facts facts;
    struct weir_error err = {.text = ""};
    enum weir_status status =
        amqp_management_create(inquiry->settings, &inquiry->url,
                               inquiry->deadline_us, &management, &err);

    if (status == WEIR_OK)
        status =
            amqp_management_queue(management, name_of(inquiry), &facts, &err);
    if (status == WEIR_OK)
        queue_judge(inquiry, where, &facts, management);
    else
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_WARNING,
                          "management_url", NULL, "%s", err.text);
    amqp_management_destroy(management);
}

static void ask_details(struct amqp_inquiry *inquiry, const char *where)
{
    struct comparison comparison = {.type = ""};

    if (weir_settings_has(inquiry->settings, "management_url")) {
        ask_management(inquiry, where);
        return;
    }
    if (amqp_inquiry_is_rabbitmq(inquiry) &&
        !comparison_ask(inquiry, name_of(inquiry), &comparison))
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_UNKNOWN, where, NULL,
                          "its arguments: user %s may not configure it, which "
                          "it would take to compare them",
                          inquiry->url.user);
    queue_judge_compared(inquiry, where, &comparison);
}

static void ask_exchanges(struct amqp_inquiry *inquiry)
{
    const size_t count = weir_settings_count(inquiry->settings, "bindings");

    for (size_t i = 0; i < count; i++) {
        const struct weir_settings *binding =
            weir_settings_group(inquiry->settings, "bindings", i);
        const char *exchange = weir_settings_string(binding, "exchange");
        const struct amqp_answer answer =
            amqp_inquiry_exchange(inquiry, exchange);
        char where[WHERE_SIZE];

        (void)snprintf(where, sizeof where, "exchange %s", exchange);
        if (answer.code == 404)
            weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                              "create it, or check `bindings`",
                              "it is not there");
        else if (answer.code != 0)
            amqp_inquiry_refused(inquiry, where, "see it", &answer);
        else
            weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                              "it is there");
    }
}

void questions_ask(const struct weir_settings *settings, int64_t deadline_us,
                   struct weir_findings *findings)
{
    struct amqp_inquiry inquiry = {
        .settings = settings, .findings = findings, .deadline_us = deadline_us};
    char where[WHERE_SIZE];

    (void)snprintf(where, sizeof where, "queue %s", name_of(&inquiry));
    if (amqp_inquiry_open(&inquiry) == WEIR_OK) {
        ask_exchanges(&inquiry);
        if (ask_whether_there(&inquiry, where)) {
            ask_whether_alike(&inquiry, where);
            ask_whether_readable(&inquiry, where);
            ask_details(&inquiry, where);
        }
    }
    amqp_inquiry_close(&inquiry);
}
