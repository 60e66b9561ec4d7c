/*
 * kafka_sample.h - how much what a topic holds grows when it is opened.
 */
#ifndef WEIR_KAFKA_SAMPLE_H
#define WEIR_KAFKA_SAMPLE_H

#include <stdint.h>

#include <librdkafka/rdkafka.h>

/* fetch.message.max.bytes of the client that takes samples. */
#define KAFKA_SAMPLE_BYTES "1024"

struct kafka_sample {
    uint64_t growth; /* bytes of messages for a byte of the fetch limit */
    uint64_t batch;  /* bytes that a first batch takes in memory */
};

/*
 * Reads a little of each of `partitions`, and returns the most that came; 0:
 * there is nothing yet.
 * `rk` fetches KAFKA_SAMPLE_BYTES and keeps one message (queued.min.messages).
 * Takes some milliseconds for each, and never more than five seconds.
 */
struct kafka_sample kafka_sample_take(
    rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *partitions);

#endif
