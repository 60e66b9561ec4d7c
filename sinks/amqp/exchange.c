/*
 * exchange.c - where messages are published, before the first of them is.
 *
 * Threads: the sink worker's.
 */
#include "exchange.h"

#include <stdio.h>
#include <stdlib.h>

/* Exchanges know arguments of text only.  Borrows from `settings`; the entries
 * are the caller's to free. */
static enum weir_status make_arguments(const struct weir_settings *settings,
                                       amqp_table_t *ret_table,
                                       struct weir_error *err)
{
    const size_t count = weir_settings_count(settings, "declare.arguments");
    amqp_table_entry_t *entries = calloc(count + 1, sizeof *entries);

    if (!entries)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    for (size_t i = 0; i < count; i++) {
        entries[i].key = amqp_cstring_bytes(
            weir_settings_key(settings, "declare.arguments", i));
        entries[i].value = (amqp_field_value_t){
            .kind = AMQP_FIELD_KIND_UTF8,
            .value = {.bytes = amqp_cstring_bytes(weir_settings_item(
                          settings, "declare.arguments", i))}};
    }
    *ret_table = (amqp_table_t){.num_entries = (int)count, .entries = entries};
    return WEIR_OK;
}

enum weir_status exchange_declare(struct amqp_link *link,
                                  const struct weir_settings *settings,
                                  const char *name, struct weir_error *err)
{
    const bool is_passive = !weir_settings_has(settings, "declare");
    const char *type = weir_settings_string(settings, "declare.type");
    amqp_table_t table = amqp_empty_table;

    if (!is_passive) {
        const enum weir_status status = make_arguments(settings, &table, err);

        if (status != WEIR_OK)
            return status;
    }
    (void)amqp_exchange_declare(
        link->connection, AMQP_LINK_CHANNEL, amqp_cstring_bytes(name),
        amqp_cstring_bytes(is_passive || !type ? "" : type), is_passive,
        !is_passive && weir_settings_bool(settings, "declare.durable", true), 0,
        0, table);
    free(table.entries);
    return WEIR_OK;
}

enum weir_status exchange_prepare(struct amqp_link *link,
                                  const struct weir_settings *settings,
                                  const char *name, struct weir_error *err)
{
    const enum weir_status status = exchange_declare(link, settings, name, err);
    char what[300];

    if (status != WEIR_OK)
        return status;
    (void)snprintf(what, sizeof what, "exchange %s", name);
    return amqp_link_reply(link, what, err);
}
