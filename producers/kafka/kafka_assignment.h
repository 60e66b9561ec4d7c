/*
 * kafka_assignment.h - which partitions this member has.
 */
#ifndef WEIR_KAFKA_ASSIGNMENT_H
#define WEIR_KAFKA_ASSIGNMENT_H

#include <stdint.h>

#include <librdkafka/rdkafka.h>

struct kafka_partition;
struct kafka_producer;

/* The library's rebalance callback; `opaque` is the producer's
 * `trouble`. */
void kafka_assignment_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what,
                                rd_kafka_topic_partition_list_t *list,
                                void *opaque);

/* Takes what was given and could not be taken at once. */
void kafka_assignment_serve(struct kafka_producer *kafka);

/* Goes on at `next`; backwards in a new epoch.  `part` may be replaced. */
void kafka_assignment_cross(struct kafka_producer *kafka,
                            struct kafka_partition *part, int64_t next);

/* Forgets all partitions; the intake knows by itself that they are over. */
void kafka_assignment_finish(struct kafka_producer *kafka);

#endif
