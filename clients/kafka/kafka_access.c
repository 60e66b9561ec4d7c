/*
 * kafka_access.c - how a client was told to connect, for explanations.
 *
 * Threads: pure functions.
 */
#include "kafka_access.h"

#include <stdio.h>

static void list_brokers(const struct weir_settings *settings, char *out,
                         size_t size)
{
    const size_t count = weir_settings_count(settings, "brokers");
    size_t used = 0;

    for (size_t i = 0; i < count && used < size; i++)
        used +=
            (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? "," : "",
                             weir_settings_item(settings, "brokers", i));
}

void kafka_access_read(const struct weir_settings *settings,
                       enum kafka_role role, struct kafka_access *ret_access)
{
    const bool has_sasl = weir_settings_has(settings, "sasl");

    *ret_access = (struct kafka_access){
        .role = role,
        .group = role == KAFKA_READS ? weir_settings_string(settings, "group")
                                     : NULL,
        .mechanism =
            has_sasl ? weir_settings_string(settings, "sasl.mechanism") : NULL,
        .username = weir_settings_string(settings, "sasl.username"),
        .ca = weir_settings_string(settings, "tls.ca"),
        .has_tls = weir_settings_has(settings, "tls"),
    };
    list_brokers(settings, ret_access->brokers, sizeof ret_access->brokers);
}
