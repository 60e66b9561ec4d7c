/*
 * kafka_turns.h - more partitions than memory has room for are fetched in
 * turns.
 */
#ifndef WEIR_KAFKA_TURNS_H
#define WEIR_KAFKA_TURNS_H

#include <stdbool.h>

#include <librdkafka/rdkafka.h>

struct kafka_partition;
struct kafka_producer;

/* A new partition: does it have its turn, or must it wait? */
void kafka_turns_enter(struct kafka_producer *kafka,
                       struct kafka_partition *part);

/* Before `list`, all of which entered, is assigned. */
void kafka_turns_prepare(struct kafka_producer *kafka,
                         const rd_kafka_topic_partition_list_t *list);

/* After an assignment, which the client is still busy with. */
void kafka_turns_rest(struct kafka_producer *kafka);

/* Ends turns that are over and gives them to others, if messages are in demand.
 * May block for up to a second, but takes little of the thread's time. */
void kafka_turns_serve(struct kafka_producer *kafka, bool has_demand);

#endif
