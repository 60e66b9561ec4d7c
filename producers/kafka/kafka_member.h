/*
 * kafka_member.h - one member of a consumer group, as its files share it.
 */
#ifndef WEIR_KAFKA_MEMBER_H
#define WEIR_KAFKA_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include <weir/intake.h>
#include <weir/share.h>

#include "kafka_options.h"
#include "kafka_partition.h"
#include "kafka_trouble.h"
#include "waker.h"

/* By source; a slot is free when NULL. */
struct kafka_partitions {
    struct kafka_partition **list;
    size_t size;
    size_t cursor; /* whose turn it is to be read */
};

/* What the group gave us and we didn't take yet: kafka_assignment.c. */
struct kafka_assignment {
    rd_kafka_topic_partition_list_t *pending; /* NULL: nothing */
    int64_t retry_us;
    bool is_cooperative, has_joined;
    rd_kafka_topic_partition_list_t *ends; /* until_end: found so far */
};

/* What was asked of the coordinator: kafka_commit.c. */
struct kafka_commit {
    rd_kafka_queue_t *queue;
    bool is_in_flight, is_urgent;
    int64_t next_us;
};

/* Which partitions are fetched: kafka_turns.c. */
struct kafka_turns {
    unsigned limit;          /* that many at a time */
    bool has_begun;          /* some were paused */
    int64_t look_us, ask_us; /* when next */
};

struct kafka_producer {
    const struct weir_settings *settings;
    const struct weir_share *share;
    struct kafka_options options;
    struct kafka_trouble trouble;
    struct waker waker;

    rd_kafka_t *rk;
    rd_kafka_queue_t *group_queue;
    int fd; /* + 1; readable when a queue of the client is no longer empty */
    struct weir_intake *intake; /* inside pull() only */

    struct kafka_partitions partitions;
    struct kafka_assignment assignment;
    struct kafka_commit commit;
    struct kafka_turns turns;
    struct weir_header *headers; /* room for those of one message */
    size_t header_room;

    uint64_t refill_after;     /* messages read from a partition */
    int64_t serve_us, tick_us; /* when next */
    unsigned planned; /* partitions that share the memory; kept when opened
                         again, so that it only grows */
    bool is_draining;
    bool has_gap;    /* of a partition */
    bool is_stopped; /* `on_gap: stop`: `stop_text` says where */
    char stop_text[200];
};

#endif
