/*
 * ready.h - what waits for a worker, in the order that was asked for.
 */
#ifndef WEIR_FLOW_READY_H
#define WEIR_FLOW_READY_H

#include <stdbool.h>
#include <stdint.h>

#include "hand.h"

struct ready;

struct ready_limits {
    unsigned workers;
    uint32_t max_demand, min_demand; /* per worker */
};

/* NULL: no memory. */
struct ready *ready_create(struct run *run, const struct ready_limits *limits);
void ready_destroy(struct ready *ready); /* INVARIANT: empty */

/* A producer's side. */

/* How many messages `home` may offer now.  `parked` of its messages wait for
 * sources that are held and count for nobody. */
uint32_t ready_demand(struct ready *ready, unsigned home, uint32_t parked);

/* WEIR_OK: took all; WEIR_RETRY: no memory, `spans` keeps what was not taken.
 */
WEIR_MUST_USE
enum weir_status ready_offer(struct ready *ready, struct mail_list *spans);

/* How many of one source may wait before it is held, when `sources` have
 * something in flight. */
uint32_t ready_source_limit(const struct ready *ready, uint32_t sources);

/* The next time that there is room, `home`'s mailbox is interrupted. */
void ready_want_room(struct ready *ready, unsigned home);

/* Takes out every message that `wants` chooses of those that wait, also for a
 * retry, and of those in hand that were not begun. */
void ready_sift(struct ready *ready,
                bool (*wants)(const struct weir_message *, const void *opaque),
                const void *opaque, struct mail_list *to);

/* A drain begins: takes out what waits for a retry, and with it what is behind
 * it in its lane; those lanes are given up.  From now on nothing waits for its
 * time: ready_finish() and ready_delay() hand it back. */
void ready_abandon_backoff(struct ready *ready, struct mail_list *to);

/* A worker's side. */

/* Waits for work until the deadline; takes at most `limit`; count 0: none came.
 * Otherwise the hand stays where it is until ready_finish().  False: closed,
 * and nothing waits. */
bool ready_take(struct ready *ready, struct hand *hand, uint32_t limit,
                int64_t deadline_us);

/*
 * The worker is done with its hand.  `back` returns to the front of its lane,
 * in its order, and the lane waits until `due_us`.  Where a drain has begun and
 * it would have to wait, the lane is given up, and `back` is the caller's again
 * with what was behind it: to be left.
 */
void ready_finish(struct ready *ready, struct hand *hand,
                  struct mail_list *back, int64_t due_us);

/* The lane of `hand` is given up: what is behind is left, too. */
void ready_abandon_lane(struct ready *ready, struct hand *hand);

/* `msg`, which is nobody's, comes back on its own after `due_us`.  False: a
 * drain has begun, it is the caller's, to be left. */
bool ready_delay(struct ready *ready, struct weir_message *msg, int64_t due_us);

/* Once: workers leave when nothing waits. */
void ready_close(struct ready *ready);

struct ready_view {
    uint32_t waiting, delayed; /* for a worker, for their time */
    uint32_t held_lanes;       /* whose first message waits for its time */
    uint32_t in_hand;
    uint32_t asleep; /* workers */
};
void ready_look(struct ready *ready, struct ready_view *ret_view);

#endif
