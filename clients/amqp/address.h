/*
 * address.h - where a broker is and how it is reached, as a topology says it.
 */
#ifndef WEIR_CLIENTS_AMQP_ADDRESS_H
#define WEIR_CLIENTS_AMQP_ADDRESS_H

#include <stddef.h>

#include <weir/settings.h>

#include "link.h"

extern const struct weir_option amqp_tls_options[];

/* Rows of a connector's table. */
#define AMQP_ADDRESS_URL                                                       \
    {                                                                          \
        .name = "url", .type = WEIR_OPTION_LIST,                               \
        .flags = WEIR_OPTION_REQUIRED | WEIR_OPTION_SECRET,                    \
        .help = "amqp://user:password@host:port/vhost (amqps: TLS); several "  \
                "are tried in turn."                                           \
    }
#define AMQP_ADDRESS_HEARTBEAT                                                 \
    {                                                                          \
        .name = "heartbeat", .type = WEIR_OPTION_DURATION, .fallback = "10s",  \
        .min = 1000000, .max = 3600000000,                                     \
        .help = "A broker that is silent for two of these is given up."        \
    }
#define AMQP_ADDRESS_TLS                                                       \
    {                                                                          \
        .name = "tls", .type = WEIR_OPTION_GROUP,                              \
        .children = amqp_tls_options,                                          \
        .help = "Certificates, with amqps:// URLs."                            \
    }

/* Refuses URLs and certificates that can't be used. */
void amqp_address_check(const struct weir_settings *settings);

/* The URL of an attempt: the list's, over and over. */
WEIR_MUST_USE
enum weir_status amqp_address_url(const struct weir_settings *settings,
                                  size_t attempt, struct amqp_url *ret_url,
                                  struct weir_error *err);

/* Borrows from `settings`. */
struct amqp_link_options amqp_address_options(
    const struct weir_settings *settings);

#endif
