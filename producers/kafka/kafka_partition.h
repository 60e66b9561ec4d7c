/*
 * kafka_partition.h - one assigned partition, for one epoch.
 */
#ifndef WEIR_KAFKA_PARTITION_H
#define WEIR_KAFKA_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "turn.h"
#include "watermark.h"

struct kafka_producer;

struct kafka_partition {
    char *topic;
    int32_t number;
    uint32_t source;
    rd_kafka_queue_t *queue; /* its own, not forwarded */
    struct watermark *mark;

    rd_kafka_message_t *stash; /* read, and not taken by the intake */
    uint64_t ticket;           /* the stash's, when it has one */

    int64_t next; /* offset to read next */
    int64_t end;  /* not read from here on; INT64_MAX: no end */

    int64_t sent, committed;       /* offsets: asked for, confirmed */
    uint64_t sent_head, safe_head; /* the watermark's head at those */
    int32_t topic_partitions;      /* > 0: its start was resolved by us, when
                                      the topic had so many */
    int64_t refill_us;             /* not before */
    uint64_t read_since_refill;    /* messages */
    struct turn turn;
    bool is_held, is_idle, is_starved, has_ticket, has_gap;
};

/* NULL when out of memory.  `next` is what the group committed. */
struct kafka_partition *kafka_partition_create(struct kafka_producer *kafka,
                                               const char *topic,
                                               int32_t number, int64_t next);
void kafka_partition_destroy(struct kafka_partition *part); /* NULL is fine */

/* Puts it in a free slot, which is its source. */
WEIR_MUST_USE
enum weir_status kafka_partition_enter(struct kafka_producer *kafka,
                                       struct kafka_partition *part);
void kafka_partition_leave(struct kafka_producer *kafka,
                           struct kafka_partition *part);

struct kafka_partition *kafka_partition_find(const struct kafka_producer *kafka,
                                             const char *topic, int32_t number);

/* Messages from the committed offset to the newest one. */
uint64_t kafka_partition_window(const struct kafka_partition *part);

#endif
