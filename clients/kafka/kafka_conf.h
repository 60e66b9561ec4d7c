/*
 * kafka_conf.h - a librdkafka configuration, made from settings.
 */
#ifndef WEIR_KAFKA_CONF_H
#define WEIR_KAFKA_CONF_H

#include <stddef.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include <weir/settings.h>

#include "kafka_access.h"

/* Children of a connector's `tls` and `sasl`. */
extern const struct weir_option kafka_tls_options[];
extern const struct weir_option kafka_sasl_options[];

/* Rows of a connector's table. */
#define KAFKA_CONF_BROKERS                                                     \
    {                                                                          \
        .name = "brokers", .type = WEIR_OPTION_LIST,                           \
        .flags = WEIR_OPTION_REQUIRED,                                         \
        .help = "Brokers to ask first, as host:port."                          \
    }
#define KAFKA_CONF_TLS                                                         \
    {                                                                          \
        .name = "tls", .type = WEIR_OPTION_GROUP,                              \
        .children = kafka_tls_options,                                         \
        .help = "Encrypt; present without keys: with the system's "            \
                "certificates."                                                \
    }
#define KAFKA_CONF_SASL                                                        \
    {                                                                          \
        .name = "sasl", .type = WEIR_OPTION_GROUP,                             \
        .children = kafka_sasl_options, .help = "Log in."                      \
    }
#define KAFKA_CONF_PROPERTIES                                                  \
    {                                                                          \
        .name = "properties", .type = WEIR_OPTION_MAP,                         \
        .help = "Any librdkafka property that weir doesn't set by itself."     \
    }

struct kafka_value {
    const char *name, *value;
};

/* Refuses what can't work in `tls`, `sasl` and `properties`. */
void kafka_conf_check(const struct weir_settings *settings,
                      enum kafka_role role);

/*
 * Returns a new configuration: first `defaults`, then `brokers`, `tls`, `sasl`
 * and `properties` of the settings, then `fixed`, which no property overrides.
 * Both lists end with a name of NULL.  WEIR_FATAL: `err` says which was
 * refused, never its value when that is a secret.
 */
WEIR_MUST_USE
enum weir_status kafka_conf_build(const struct weir_settings *settings,
                                  enum kafka_role role,
                                  const struct kafka_value *defaults,
                                  const struct kafka_value *fixed,
                                  rd_kafka_conf_t **ret_conf,
                                  struct weir_error *err);

/* A number that librdkafka has, after `properties` of the settings. */
int64_t kafka_conf_number(const struct weir_settings *settings,
                          const char *property);

#endif
