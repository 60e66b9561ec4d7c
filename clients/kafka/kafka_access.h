/*
 * kafka_access.h - how a client was told to connect, for explanations.
 */
#ifndef WEIR_KAFKA_ACCESS_H
#define WEIR_KAFKA_ACCESS_H

#include <stdbool.h>

#include <weir/settings.h>

enum kafka_role { KAFKA_READS = 0, KAFKA_WRITES };

/* But for `brokers` borrowed from the settings. */
struct kafka_access {
    enum kafka_role role;
    char brokers[200];                /* cut off when there are many */
    const char *group;                /* NULL: it writes */
    const char *mechanism, *username; /* NULL: no SASL */
    const char *ca;                   /* NULL: the system's */
    bool has_tls;
};

void kafka_access_read(const struct weir_settings *settings,
                       enum kafka_role role, struct kafka_access *ret_access);

#endif
