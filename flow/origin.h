/*
 * origin.h - where messages come from, and for how long that is ours.
 */
#ifndef WEIR_FLOW_ORIGIN_H
#define WEIR_FLOW_ORIGIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct weir_message;

/* A partition or a queue.  Kept until the run ends, so that whoever shows
 * where a message came from needs no lock; one per partition ever seen. */
struct origin {
    struct origin *next;
    char *topic;
    int32_t partition;
    uint64_t hash;   /* of both */
    uint64_t epochs; /* of it so far; its producer's own */
};

enum epoch_state {
    EPOCH_LIVE = 0,
    EPOCH_DRAINING, /* nothing more is begun, what was begun goes on */
    EPOCH_ENDED     /* fenced: whatever comes back is abandoned */
};

/* One assignment of a partition, or one channel's hold on a queue. */
struct epoch {
    struct epoch *next;
    const struct origin *origin;
    uint32_t source;   /* the connector's number for it */
    _Atomic int state; /* written by the producer, read by all */
    _Atomic bool is_starved;
    bool is_held;             /* the producer's own: offer nothing of it */
    _Atomic uint32_t waiting; /* offered and not yet taken by a worker */
    _Atomic int64_t lag;      /* -1: unknown */
    _Atomic uint32_t ghosts;  /* settled early, still travelling */

    /* The producer's own. */
    uint64_t open;     /* tickets */
    uint64_t size;     /* their bytes */
    uint64_t round;    /* the intake's, when the last one was added */
    uint32_t unsent;   /* added in that round */
    int64_t newest_ms; /* the timestamp of the one added last; -1: none */
    struct weir_message *oldest; /* as survey.c found it last */
    uint64_t oldest_ticket, copies;
    int64_t oldest_us; /* since when it is the oldest */
};

static inline int epoch_state(const struct epoch *epoch)
{
    return atomic_load_explicit(&epoch->state, memory_order_acquire);
}

#endif
