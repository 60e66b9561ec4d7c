/*
 * kafka_start.h - from which offset a partition is read.
 */
#ifndef WEIR_KAFKA_START_H
#define WEIR_KAFKA_START_H

#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include <weir/status.h>

struct kafka_producer;
struct kafka_partition;

/*
 * Fills in the offset of every partition in `list`: what the group committed,
 * or the resolved start, which is committed first.  Blocks for a bounded time.
 * WEIR_AGAIN: the broker didn't answer, try again later.
 */
WEIR_MUST_USE
enum weir_status kafka_start_resolve(struct kafka_producer *kafka,
                                     rd_kafka_topic_partition_list_t *list);

/* Adds the last stable offsets of `list` to the ends that are known; as above.
 */
WEIR_MUST_USE
enum weir_status kafka_start_find_ends(
    struct kafka_producer *kafka, const rd_kafka_topic_partition_list_t *list);

/* The oldest and the next offset that the broker has; as above. */
WEIR_MUST_USE
enum weir_status kafka_start_find_bounds(struct kafka_producer *kafka,
                                         const struct kafka_partition *part,
                                         int64_t *ret_low, int64_t *ret_high);

/* Writes into what is about to be committed that its group began when the topic
 * had `topic_partitions`; 0: nothing. */
void kafka_start_mark(rd_kafka_topic_partition_t *element,
                      int32_t topic_partitions);

/* What kafka_start_mark() wrote, or 0. */
int32_t kafka_start_marked(const rd_kafka_topic_partition_t *element);

#endif
