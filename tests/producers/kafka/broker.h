/*
 * broker.h - what a test does to a real Kafka, as a client of its own.
 */
#ifndef WEIR_TEST_BROKER_H
#define WEIR_TEST_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "host:port" of WEIR_KAFKA; without it the program ends: skipped (loudly), or
 * failed where WEIR_REQUIRE_BROKERS is set. */
const char *broker_address(void);

/* Makes a topic of a new name; the name is written to `out`. */
void broker_create_topic(const char *address, int partitions, char *out,
                         size_t size);

void broker_create_topic_named(const char *address, int partitions,
                               const char *name);
/* With one setting: "cleanup.policy". */
void broker_create_topic_set(const char *address, int partitions,
                             const char *name, const char *value, char *out,
                             size_t size);
void broker_add_partitions(const char *address, const char *topic, int total);

/* Until the wall clock shows `time_ms`. */
void broker_wait_until_ms(int64_t time_ms);

/* "PREFIX 0" ... into one partition, with key "k" and header h=v. */
void broker_produce(const char *address, const char *topic, int32_t partition,
                    const char *prefix, unsigned first, unsigned count);

/* One message of `size` bytes; NULL payload when `size` is 0. */
void broker_produce_sized(const char *address, const char *topic,
                          int32_t partition, size_t size);

/* `count` messages in a transaction that is committed or aborted. */
void broker_produce_transaction(const char *address, const char *topic,
                                int32_t partition, unsigned count,
                                bool is_committed);

/* What the group committed; -1001 (RD_KAFKA_OFFSET_INVALID): nothing. */
int64_t broker_committed(const char *address, const char *group,
                         const char *topic, int32_t partition);
void broker_commit(const char *address, const char *group, const char *topic,
                   int32_t partition, int64_t offset);

/* Deletes everything below `offset`. */
void broker_delete_records(const char *address, const char *topic,
                           int32_t partition, int64_t offset);

/* A name that no test used before. */
void broker_unique_name(const char *prefix, char *out, size_t size);

#endif
