/*
 * amqp_inquiry.c - what is asked of a broker before anything runs.
 *
 * A refusal closes the channel, and a link that was refused something is
 * closed as a whole (link.c), so after each one it is opened anew: a question
 * costs a login, and there are a dozen at most.
 *
 * Invariant: nothing is asked in a way that could make, change or move
 * something.  What exists is looked at with passive declares; everything else
 * is a request that the broker has to refuse, for its arguments, after it has
 * judged what we want to know.
 *
 * Threads: the one that asks.
 */
#include "amqp_inquiry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "tls_certificate.h"

enum { WHERE_SIZE = 300, LEAST_US = 1000 };

static enum weir_status connect_link(struct amqp_inquiry *inquiry,
                                     struct weir_error *err)
{
    struct amqp_link_options options = amqp_address_options(inquiry->settings);
    enum weir_status status;

    options.name = "weir check";
    options.deadline_us = inquiry->deadline_us;
    status = amqp_link_open(&inquiry->link, &inquiry->url, &options,
                            &inquiry->guard, err);
    if (status == WEIR_OK) {
        const int64_t left_us = inquiry->deadline_us - clock_now_us();

        amqp_link_set_timeout(&inquiry->link,
                              left_us > LEAST_US ? left_us : LEAST_US);
    }
    return status;
}

static void close_link(struct amqp_inquiry *inquiry)
{
    amqp_guard_unwatch(&inquiry->guard);
    amqp_link_close(&inquiry->link, inquiry->deadline_us);
}

static void read_property(const amqp_table_t *table, const char *name,
                          char *out, size_t size)
{
    for (int i = 0; i < table->num_entries; i++) {
        const amqp_table_entry_t *entry = &table->entries[i];

        if (entry->key.len == strlen(name) &&
            memcmp(entry->key.bytes, name, entry->key.len) == 0 &&
            entry->value.kind == AMQP_FIELD_KIND_UTF8)
            (void)snprintf(out, size, "%.*s", (int)entry->value.value.bytes.len,
                           (const char *)entry->value.value.bytes.bytes);
    }
}

static void say_contact(struct amqp_inquiry *inquiry)
{
    const amqp_table_t *properties =
        amqp_get_server_properties(inquiry->link.connection);
    char where[WHERE_SIZE];

    if (properties) {
        read_property(properties, "product", inquiry->product,
                      sizeof inquiry->product);
        read_property(properties, "version", inquiry->version,
                      sizeof inquiry->version);
    }
    (void)snprintf(where, sizeof where, "broker %s", inquiry->link.where);
    weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                      "%s %s, with %s",
                      inquiry->product[0] ? inquiry->product : "it answers",
                      inquiry->version, inquiry->url.is_tls ? "TLS" : "no TLS");
}

static void probe_certificates(struct amqp_inquiry *inquiry)
{
    const char *cert = weir_settings_string(inquiry->settings, "tls.cert");

    if (!inquiry->url.is_tls)
        return;
    tls_certificate_probe_server(inquiry->url.host, inquiry->url.port,
                                 inquiry->deadline_us, inquiry->findings);
    if (cert)
        tls_certificate_probe_file("tls.cert", cert, inquiry->findings);
}

/* `is_last`: and none before it answered. */
static enum weir_status try_url(struct amqp_inquiry *inquiry, size_t index,
                                bool is_last)
{
    struct weir_error err = {.text = ""};
    char where[WHERE_SIZE];
    enum weir_status status =
        amqp_address_url(inquiry->settings, index, &inquiry->url, &err);

    if (status == WEIR_OK)
        status = connect_link(inquiry, &err);
    if (status == WEIR_OK)
        return WEIR_OK;
    (void)snprintf(where, sizeof where, "broker %s:%d",
                   inquiry->url.host ? inquiry->url.host : "",
                   inquiry->url.port);
    weir_findings_add(inquiry->findings,
                      is_last ? WEIR_SEVERITY_ERROR : WEIR_SEVERITY_WARNING,
                      where, NULL, "%s", err.text);
    close_link(inquiry);
    amqp_url_finish(&inquiry->url);
    return WEIR_RETRY;
}

enum weir_status amqp_inquiry_open(struct amqp_inquiry *inquiry)
{
    const size_t count = weir_settings_count(inquiry->settings, "url");
    struct weir_error err = {.text = ""};

    if (amqp_guard_open(&inquiry->guard, &err) != WEIR_OK) {
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, "broker",
                          NULL, "%s", err.text);
        return WEIR_RETRY;
    }
    for (size_t i = 0; i < count; i++) {
        if (try_url(inquiry, i, i + 1 == count) == WEIR_OK) {
            say_contact(inquiry);
            probe_certificates(inquiry);
            return WEIR_OK;
        }
    }
    return WEIR_RETRY;
}

void amqp_inquiry_close(struct amqp_inquiry *inquiry)
{
    if (inquiry->link.connection)
        close_link(inquiry);
    amqp_guard_close(&inquiry->guard);
    amqp_url_finish(&inquiry->url);
}

bool amqp_inquiry_is_rabbitmq(const struct amqp_inquiry *inquiry)
{
    return strcmp(inquiry->product, "RabbitMQ") == 0;
}

int amqp_inquiry_major(const struct amqp_inquiry *inquiry)
{
    return atoi(inquiry->version);
}

static void copy_text(struct amqp_answer *answer, amqp_bytes_t text)
{
    size_t size = text.len;

    if (size >= sizeof answer->text)
        size = sizeof answer->text - 1;
    if (size > 0)
        memcpy(answer->text, text.bytes, size);
    answer->text[size] = '\0';
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)answer->text[i] < ' ')
            answer->text[i] = '?';
}

static struct amqp_answer read_reply(const amqp_rpc_reply_t *reply)
{
    struct amqp_answer answer = {.code = -1};

    if (reply->reply_type == AMQP_RESPONSE_NORMAL)
        answer.code = 0;
    else if (reply->reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
        (void)snprintf(answer.text, sizeof answer.text, "%s",
                       reply->library_error == AMQP_STATUS_TIMEOUT
                           ? "no answer in time"
                           : amqp_error_string2(reply->library_error));
    else if (reply->reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *close = reply->reply.decoded;

        answer.code = close->reply_code;
        copy_text(&answer, close->reply_text);
    } else if (reply->reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *close = reply->reply.decoded;

        answer.code = close->reply_code;
        copy_text(&answer, close->reply_text);
    }
    return answer;
}

struct amqp_answer amqp_inquiry_answer(struct amqp_inquiry *inquiry)
{
    struct weir_error err = {.text = ""};
    amqp_rpc_reply_t reply = {.reply_type = AMQP_RESPONSE_NONE};
    struct amqp_answer answer = {.code = -1};

    if (inquiry->link.connection) {
        reply = amqp_get_rpc_reply(inquiry->link.connection);
        answer = read_reply(&reply);
    }
    if (answer.code == 0)
        return answer;
    /* A closed channel leaves the connection fit for a goodbye. */
    inquiry->link.is_broken =
        reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION ||
        reply.reply.id != AMQP_CHANNEL_CLOSE_METHOD;
    close_link(inquiry);
    if (connect_link(inquiry, &err) != WEIR_OK) {
        close_link(inquiry);
        if (answer.text[0] == '\0')
            (void)snprintf(answer.text, sizeof answer.text, "%s", err.text);
    }
    return answer;
}

struct amqp_answer amqp_inquiry_exchange(struct amqp_inquiry *inquiry,
                                         const char *exchange)
{
    if (inquiry->link.connection)
        (void)amqp_exchange_declare(inquiry->link.connection, AMQP_LINK_CHANNEL,
                                    amqp_cstring_bytes(exchange),
                                    amqp_cstring_bytes(""), 1, 0, 0, 0,
                                    amqp_empty_table);
    return amqp_inquiry_answer(inquiry);
}

struct amqp_answer amqp_inquiry_queue(struct amqp_inquiry *inquiry,
                                      const char *queue, uint32_t *ret_messages,
                                      uint32_t *ret_consumers)
{
    const amqp_queue_declare_ok_t *reply = NULL;

    if (inquiry->link.connection)
        reply = amqp_queue_declare(inquiry->link.connection, AMQP_LINK_CHANNEL,
                                   amqp_cstring_bytes(queue), 1, 0, 0, 0,
                                   amqp_empty_table);
    if (reply) {
        *ret_messages = reply->message_count;
        *ret_consumers = reply->consumer_count;
    }
    return amqp_inquiry_answer(inquiry);
}

void amqp_inquiry_refused(struct amqp_inquiry *inquiry, const char *where,
                          const char *permission,
                          const struct amqp_answer *answer)
{
    if (answer->code == 403)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                          "grant it, or use another user in the url",
                          "user %s lacks the permission to %s: %s",
                          inquiry->url.user, permission, answer->text);
    else
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where, NULL,
                          "%s", answer->text[0] ? answer->text : "no answer");
}
