/*
 * management.h - what only RabbitMQ's management plugin tells, over HTTP.
 */
#ifndef WEIR_CLIENTS_AMQP_MANAGEMENT_H
#define WEIR_CLIENTS_AMQP_MANAGEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/settings.h>
#include <weir/status.h>

#include "url.h"

/* Row of a connector's table. */
#define AMQP_MANAGEMENT_URL                                                    \
    {                                                                          \
        .name = "management_url", .type = WEIR_OPTION_STRING,                  \
        .flags = WEIR_OPTION_SECRET,                                           \
        .help = "Where the broker's management plugin listens, as "            \
                "http://user:password@host:15672, for `weir check --connect`." \
    }

/* Refuses a URL that can't be used. */
void amqp_management_check(const struct weir_settings *settings);

/* A queue as it is, by its arguments and by its policies. */
struct amqp_queue_facts {
    char type[16];    /* classic, quorum, stream */
    char policy[100]; /* "": none */
    char dead_letter_exchange[256];
    bool has_dead_letter_exchange; /* which may be "" */
    bool is_durable, is_single_active;
    bool drops_head;             /* when it is full */
    int64_t delivery_limit;      /* -1: none is set */
    int64_t consumer_timeout_ms; /* -1: likewise */
    int64_t max_length;          /* likewise */
};

struct amqp_exchange_facts {
    bool is_there, is_bound;
};

struct amqp_management; /* opaque */

/* A new one, for the vhost of `url`; the user is its, where management_url has
 * none.  WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status amqp_management_create(const struct weir_settings *settings,
                                        const struct amqp_url *url,
                                        int64_t deadline_us,
                                        struct amqp_management **ret_management,
                                        struct weir_error *err);
void amqp_management_destroy(struct amqp_management *management);

/* WEIR_OK; WEIR_RETRY: it doesn't say, and why. */
WEIR_MUST_USE
enum weir_status amqp_management_queue(struct amqp_management *management,
                                       const char *queue,
                                       struct amqp_queue_facts *ret_facts,
                                       struct weir_error *err);
WEIR_MUST_USE
enum weir_status amqp_management_exchange(struct amqp_management *management,
                                          const char *exchange,
                                          struct amqp_exchange_facts *ret_facts,
                                          struct weir_error *err);

#endif
