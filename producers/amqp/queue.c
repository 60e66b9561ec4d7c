/*
 * queue.c - what is said to the broker before messages come.
 *
 * Without `declare` the queue is only looked at, with a passive declare, which
 * needs no permission to configure it.  With it, one active declare creates the
 * queue or compares it, and the broker refuses (406) what differs.  Anything
 * refused closes the channel, so the link is given up and the runtime tries
 * again later: that is also how a queue that isn't there yet is waited for.
 *
 * Threads: the producer's own.
 */
#include "queue.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

/* The sentence's subject, for errors. */
struct doing {
    char text[200];
};

WEIR_PRINTF(1, 2) static struct doing doing(const char *fmt, ...)
{
    struct doing doing;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(doing.text, sizeof(doing.text), fmt, args);
    va_end(args);
    return doing;
}

static amqp_field_value_t argument_value(const char *name, const char *value)
{
    switch (argument_kind_of(name)) {
    case ARGUMENT_NUMBER:
        return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_I64,
                                    .value = {.i64 = strtoll(value, NULL, 10)}};
    case ARGUMENT_BOOLEAN:
        return (amqp_field_value_t){
            .kind = AMQP_FIELD_KIND_BOOLEAN,
            .value = {.boolean = strcmp(value, "true") == 0}};
    default:
        return (amqp_field_value_t){
            .kind = AMQP_FIELD_KIND_UTF8,
            .value = {.bytes = amqp_cstring_bytes(value)}};
    }
}

/* Borrows from `settings`; the entries are the caller's to free. */
static enum weir_status make_arguments(const struct weir_settings *settings,
                                       amqp_table_t *ret_table,
                                       struct weir_error *err)
{
    const char *type = weir_settings_string(settings, "declare.type");
    const size_t count = weir_settings_count(settings, "declare.arguments");
    amqp_table_entry_t *entries = calloc(count + 1, sizeof(*entries));

    if (!entries)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    entries[0].key = amqp_cstring_bytes("x-queue-type");
    entries[0].value = argument_value("x-queue-type", type ? type : "classic");
    for (size_t i = 0; i < count; i++) {
        const char *key = weir_settings_key(settings, "declare.arguments", i);

        entries[i + 1].key = amqp_cstring_bytes(key);
        entries[i + 1].value = argument_value(
            key, weir_settings_item(settings, "declare.arguments", i));
    }
    *ret_table =
        (amqp_table_t){.num_entries = (int)count + 1, .entries = entries};
    return WEIR_OK;
}

enum weir_status queue_declare(struct amqp_link *link,
                               const struct weir_settings *settings,
                               const amqp_queue_declare_ok_t **ret_reply,
                               struct weir_error *err)
{
    const bool is_passive = !weir_settings_has(settings, "declare");
    const bool is_durable =
        weir_settings_bool(settings, "declare.durable", true);
    const char *queue = weir_settings_string(settings, "queue");
    amqp_table_t table = amqp_empty_table;

    if (!is_passive) {
        const enum weir_status status = make_arguments(settings, &table, err);

        if (status != WEIR_OK)
            return status;
    }
    *ret_reply = amqp_queue_declare(link->connection, AMQP_LINK_CHANNEL,
                                    amqp_cstring_bytes(queue), is_passive,
                                    !is_passive && is_durable, 0, 0, table);
    free(table.entries);
    return WEIR_OK;
}

static enum weir_status declare(struct amqp_link *link,
                                const struct weir_settings *settings,
                                const char *queue, int64_t *ret_ready,
                                struct weir_error *err)
{
    const struct doing what = doing("queue %s", queue);
    const amqp_queue_declare_ok_t *reply = NULL;
    enum weir_status status = queue_declare(link, settings, &reply, err);

    if (status != WEIR_OK)
        return status;
    status = amqp_link_reply(link, what.text, err);
    if (status == WEIR_OK && reply)
        *ret_ready = reply->message_count;
    return status;
}

static enum weir_status bind(struct amqp_link *link,
                             const struct weir_settings *settings,
                             const char *queue, struct weir_error *err)
{
    const size_t count = weir_settings_count(settings, "bindings");

    for (size_t i = 0; i < count; i++) {
        const struct weir_settings *binding =
            weir_settings_group(settings, "bindings", i);
        const char *exchange = weir_settings_string(binding, "exchange");
        const char *key = weir_settings_string(binding, "routing_key");
        const struct doing what =
            doing("binding queue %s to exchange %s", queue, exchange);
        enum weir_status status;

        (void)amqp_queue_bind(
            link->connection, AMQP_LINK_CHANNEL, amqp_cstring_bytes(queue),
            amqp_cstring_bytes(exchange), amqp_cstring_bytes(key ? key : ""),
            amqp_empty_table);
        status = amqp_link_reply(link, what.text, err);
        if (status != WEIR_OK)
            return status;
    }
    return WEIR_OK;
}

enum weir_status queue_consume(struct amqp_link *link,
                               const struct weir_settings *settings,
                               unsigned prefetch, int64_t *ret_ready,
                               struct weir_error *err)
{
    const char *queue = weir_settings_string(settings, "queue");
    const char *tag = weir_settings_string(settings, "consumer_tag");
    const struct doing what = doing("consuming queue %s", queue);
    enum weir_status status = declare(link, settings, queue, ret_ready, err);

    if (status != WEIR_OK)
        return status;
    status = bind(link, settings, queue, err);
    if (status != WEIR_OK)
        return status;
    (void)amqp_basic_qos(link->connection, AMQP_LINK_CHANNEL, 0,
                         (uint16_t)prefetch, 0);
    status = amqp_link_reply(link, "setting the prefetch", err);
    if (status != WEIR_OK)
        return status;
    (void)amqp_basic_consume(
        link->connection, AMQP_LINK_CHANNEL, amqp_cstring_bytes(queue),
        amqp_cstring_bytes(tag), 0, 0,
        weir_settings_bool(settings, "exclusive", false), amqp_empty_table);
    return amqp_link_reply(link, what.text, err);
}
