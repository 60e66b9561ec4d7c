/*
 * embedded_kafka.h - a Kafka broker inside the process, and one that feeds it.
 *
 * One thread at a time.
 */
#ifndef WEIR_EMBEDDED_KAFKA_H
#define WEIR_EMBEDDED_KAFKA_H

#include <stdint.h>

#include <weir/bytes.h>
#include <weir/status.h>

struct embedded_kafka;

struct embedded_kafka_topic {
    const char *name;
    int partitions;
};

/* Called from embedded_kafka_poll(): the broker has the record. */
typedef void (*embedded_kafka_confirmed_fn)(void *opaque, uint64_t id);

WEIR_MUST_USE
enum weir_status embedded_kafka_start(const struct embedded_kafka_topic *topic,
                                      struct embedded_kafka **ret_kafka,
                                      struct weir_error *err);

/* After its clients are gone.  NULL is fine. */
void embedded_kafka_stop(struct embedded_kafka *kafka);

/* "127.0.0.1:port", borrowed. */
const char *embedded_kafka_brokers(const struct embedded_kafka *kafka);

/* Copies both; `id` comes back when it is confirmed.  WEIR_AGAIN: there is no
 * room, poll first. */
WEIR_MUST_USE
enum weir_status embedded_kafka_send(struct embedded_kafka *kafka, uint64_t id,
                                     struct weir_bytes key,
                                     struct weir_bytes payload);

/* Hears of confirmations; waits for at most `timeout_ms`. */
void embedded_kafka_poll(struct embedded_kafka *kafka, int timeout_ms,
                         embedded_kafka_confirmed_fn confirmed, void *opaque);

/* Sent and not confirmed. */
uint64_t embedded_kafka_waiting(const struct embedded_kafka *kafka);

/* Its port refuses connections and those that are open break; comes back with
 * all it had. */
void embedded_kafka_go_down(struct embedded_kafka *kafka);
void embedded_kafka_come_back(struct embedded_kafka *kafka);

#endif
