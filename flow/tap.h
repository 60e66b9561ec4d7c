/*
 * tap.h - a sample of the messages that end, for people; tap.c says how much.
 */
#ifndef WEIR_FLOW_TAP_H
#define WEIR_FLOW_TAP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/message.h>

#include "counters.h"
#include "origin.h"

enum tap_outcome {
    TAP_DONE = 0,
    TAP_RETRIED, /* no end: it waits for its next attempt */
    TAP_REJECTED,
    TAP_DEAD_LETTERED, /* rejected; its dead letter is confirmed */
    TAP_REQUEUED,
    TAP_ABANDONED,
    /* must stay last */
    TAP_OUTCOME_COUNT
};

enum {
    TAP_PLACES = 8, /* so many sample at once */
    TAP_ROOM = 256, /* messages between two tap_take() */
    TAP_RATE_MAX = 1000,
    TAP_LEASE_US = 10 * 1000 * 1000, /* it ends when nobody asks for so long */
    TAP_IDLE_US = 1000 * 1000, /* its place is another's, where all are taken */
    TAP_REASON_SIZE = 200,
    TAP_KEY_SIZE = 128,
    TAP_PAYLOAD_SIZE = 1024
};

struct tap_wish {
    unsigned outcomes; /* 1U << of each that is wanted */
    uint32_t rate;     /* messages a second, up to TAP_RATE_MAX */
    bool has_payload;  /* keys and payloads, too */
};

/* As received; `kept` of its `size` bytes are there. */
struct tap_bytes {
    const char *data; /* NULL: absent */
    uint32_t size, kept;
};

struct tap_entry {
    int64_t wall_ms;             /* when it was seen */
    const struct origin *origin; /* valid until the run's producers are gone */
    int64_t position;            /* offset, or delivery tag */
    int64_t latency_us;          /* since it was taken in */
    enum tap_outcome outcome;
    enum reject_reason code;       /* where it was rejected, or requeued */
    const char *batcher;           /* where it was then; NULL: the processors */
    uint32_t attempts, deliveries; /* of the handler, and to the sink */
    uint64_t size;                 /* of the payload */
    char reason[TAP_REASON_SIZE];  /* cut off when too long; "" */
    struct tap_bytes key, payload; /* absent where they weren't asked for */
};

struct tap_ring {
    struct tap_entry *entries;
    char *texts; /* of entry i at i * (TAP_KEY_SIZE + TAP_PAYLOAD_SIZE) */
    size_t count;
};

struct tap_place {
    /* What a worker looks at before the lock. */
    _Atomic unsigned outcomes;
    _Atomic int64_t interval_us, until_us;
    _Atomic int64_t allowed_us; /* when the rate is used up to */
    _Atomic uint64_t left_out;  /* since the last tap_take() */

    /* The reader's. */
    uint64_t id;      /* 0: never used */
    int64_t asked_us; /* the last time */

    pthread_mutex_t lock; /* of what follows */
    struct tap_wish wish;
    struct tap_ring rings[2];
    unsigned front; /* is filled; the other one is the reader's */
};

struct tap {
    _Atomic unsigned open; /* bits of the places; 0: nobody samples */
    uint64_t last_id;
    struct tap_place places[TAP_PLACES];
};

/* What one worker left out and has not yet told. */
struct tap_rest {
    uint32_t left_out[TAP_PLACES];
    bool is_some;
};

void tap_init(struct tap *tap);
void tap_finish(struct tap *tap);

static inline bool tap_is_open(const struct tap *tap)
{
    return atomic_load_explicit(&tap->open, memory_order_relaxed) != 0;
}

/* What happens to a message. */
struct tap_look {
    const struct weir_message *msg;
    enum tap_outcome outcome;
    const char *batcher; /* where; NULL: in the processors */
    const char *why;     /* it failed; NULL: as the message says */
    int64_t now_us;
};

/* Any thread, the one that has the message. */
void tap_note(struct tap *tap, const struct tap_look *look,
              struct tap_rest *rest);
void tap_tell_rest(struct tap *tap, struct tap_rest *rest);

/* The reader's: one thread. */

/* Goes on with `id` where it is there and its wish is the same, else begins,
 * with an id of its own.  WEIR_AGAIN: all places are taken; WEIR_RETRY: no
 * memory. */
WEIR_MUST_USE
enum weir_status tap_ask(struct tap *tap, uint64_t id,
                         const struct tap_wish *wish, int64_t now_us,
                         uint64_t *ret_id);

/* What it got since the last time, the oldest first, and how many were left
 * out meanwhile; borrowed until the next call of any of these. */
const struct tap_ring *tap_take(struct tap *tap, uint64_t id,
                                uint64_t *ret_left_out);

#endif
