/*
 * publication.h - a message as it is published.
 */
#ifndef WEIR_SINKS_AMQP_PUBLICATION_H
#define WEIR_SINKS_AMQP_PUBLICATION_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/message.h>
#include <weir/settings.h>

#include "rabbitmq.h"

struct template;

enum { AMQP_NAME_MAX = 255 }; /* bytes of a short string */

/* How, for all messages.  Zeroed is empty. */
struct publication_plan {
    struct template *exchange, *routing_key;
    bool mandatory, persistent;
};

/* WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status publication_plan_read(struct publication_plan *plan,
                                       const struct weir_settings *settings,
                                       struct weir_error *err);
void publication_plan_finish(struct publication_plan *plan);

/* Whether each message may have its own. */
bool publication_exchange_varies(const struct publication_plan *plan);
bool publication_routing_key_varies(const struct publication_plan *plan);

/* One message.  Zeroed is empty; made again and again. */
struct publication {
    amqp_basic_publish_t method;
    amqp_basic_properties_t properties;
    struct weir_bytes body;
    amqp_table_entry_t *entries;
    size_t entry_capacity;
    char exchange[AMQP_NAME_MAX + 1], routing_key[AMQP_NAME_MAX + 1];
};

/* Borrows from `msg`.  WEIR_REJECT: it can't be published, and why; WEIR_RETRY:
 * no memory. */
WEIR_MUST_USE
enum weir_status publication_make(struct publication *publication,
                                  const struct publication_plan *plan,
                                  const struct weir_message *msg,
                                  struct weir_error *err);
void publication_finish(struct publication *publication);

#endif
