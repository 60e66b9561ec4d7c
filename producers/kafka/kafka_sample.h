/*
 * kafka_sample.h - how much what a topic holds grows when it is opened.
 */
#ifndef WEIR_KAFKA_SAMPLE_H
#define WEIR_KAFKA_SAMPLE_H

#include <stdint.h>

#include <librdkafka/rdkafka.h>

/* fetch.message.max.bytes of the client that takes samples. */
#define KAFKA_SAMPLE_BYTES "1024"

/*
 * Reads a little of each of `partitions`, and returns the bytes of messages
 * that came for a byte of the fetch limit, at most; 0: there is nothing yet.
 * `rk` fetches KAFKA_SAMPLE_BYTES and keeps one message (queued.min.messages).
 * Takes some milliseconds for each, and never more than five seconds.
 */
uint64_t kafka_sample_growth(rd_kafka_t *rk,
                             const rd_kafka_topic_partition_list_t *partitions);

#endif
