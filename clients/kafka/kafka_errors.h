/*
 * kafka_errors.h - Kafka's error codes, in weir's words.
 */
#ifndef WEIR_KAFKA_ERRORS_H
#define WEIR_KAFKA_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

#include <librdkafka/rdkafka.h>

#include <weir/status.h>

/* What the caller must do: WEIR_OK, WEIR_RETRY, WEIR_FATAL. */
enum weir_status kafka_errors_status(rd_kafka_resp_err_t code);

/* How the client was told to connect, for explanations; borrowed. */
struct kafka_access {
    const char *brokers, *group;
    const char *mechanism, *username; /* NULL: no SASL */
    const char *ca;                   /* NULL: the system's */
    bool has_tls;
};

/*
 * One line: what was tried, with what, and what to check.  `reason` is what
 * librdkafka says, and holds no secret.
 */
void kafka_errors_explain(rd_kafka_resp_err_t code, const char *reason,
                          const struct kafka_access *access, char *out,
                          size_t size);

#endif
