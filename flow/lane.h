/*
 * lane.h - messages that must keep their order among themselves.
 */
#ifndef WEIR_FLOW_LANE_H
#define WEIR_FLOW_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "mail.h"

struct weir_message;

enum lane_state {
    LANE_IDLE = 0, /* in no list */
    LANE_READY,    /* in the ready queue */
    LANE_RUNNING,  /* a worker has its head */
    LANE_HELD      /* waits for the retry of its head */
};

struct lane {
    struct lane *next;       /* in its bucket, or in the free list */
    struct lane *next_ready; /* in the ready queue */
    uint64_t id;
    enum lane_state state;
    bool is_abandoned;
    struct mail_list messages; /* one slot a letter */
};

/* Moves the messages that `wants` chooses to `to`; each stays a letter. */
void lane_sift(struct lane *lane,
               bool (*wants)(const struct weir_message *, const void *opaque),
               const void *opaque, struct mail_list *to);

/* READY lanes, in the order in which they became so. */
struct lane_queue {
    struct lane *first, *last;
};

void lane_queue_add(struct lane_queue *queue, struct lane *lane);
struct lane *lane_queue_pop(struct lane_queue *queue); /* NULL: empty */

/* All lanes that have messages, by id.  Guarded by its owner's lock. */
struct lanes {
    struct lane **buckets;
    uint32_t bucket_count, count; /* a power of two */
    struct lane *free;
};

/* False: no memory. */
bool lanes_init(struct lanes *lanes);
void lanes_finish(struct lanes *lanes);

/* Finds or makes it; NULL: no memory. */
struct lane *lanes_get(struct lanes *lanes, uint64_t id);

/* Takes an idle lane without messages out. */
void lanes_drop(struct lanes *lanes, struct lane *lane);

/* Each lane in turn, from `lane` NULL. */
struct lane *lanes_next(const struct lanes *lanes, const struct lane *lane);

#endif
