/*
 * message.h - a message inside the runtime: record, changes, bookkeeping.
 */
#ifndef WEIR_FLOW_MESSAGE_H
#define WEIR_FLOW_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/change.h>
#include <weir/message.h>

#include "arena.h"
#include "mail.h"
#include "note.h"
#include "origin.h"
#include "record.h"
#include "run.h"
#include "where.h"

/* How a message ended, as its producer is told. */
enum ending {
    ENDING_NONE = 0,
    ENDING_DONE,
    ENDING_DROPPED,   /* rejected; the broker is told that it is done */
    ENDING_DISCARDED, /* rejected; the broker's dead-letter exchange has it */
    ENDING_REQUEUED,  /* abandoned, given back to the broker */
    ENDING_LEFT,      /* abandoned, nothing is said to the broker */
    ENDING_MOVED,     /* no end: it lives on in a copy, this slot is free */
    /* must stay last */
    ENDING_COUNT
};

struct extra_header {
    struct extra_header *next;
    struct weir_header header;
};

/* Made by one callback; forgotten when it fails.  Lives in an arena. */
struct changes {
    struct weir_bytes payload, batch_key;
    const char *batcher; /* NULL: "default" */
    struct extra_header *headers, *last_header;
    struct extra_header *spare; /* of a dead letter: prepared, not in use */
    void *reserved;
    size_t header_count, reserved_size;
    int64_t retry_after_us; /* -1: by backoff */
    bool has_payload, is_flush, is_early;
};

/* What a message may reach during a callback.  One per worker. */
struct context {
    struct run *run;
    struct arena *arena;   /* of this hand; NULL until something is changed */
    bool is_out_of_memory; /* a change of this message could not be kept */
};

struct weir_message {
    struct mail mail; /* first: `count` slots from here on travel together */
    const struct record *record;
    struct changes *changes; /* NULL: none */
    struct arena *arena;     /* that one reference is held of, or NULL */
    struct epoch *epoch;
    struct chunk *chunk;
    struct context *context; /* during a callback */
    const char *reason;      /* of the last failure, in the arena; or NULL */
    uint64_t ticket, lane;
    _Atomic uint64_t where; /* struct whereabouts, packed */
    int64_t taken_us;       /* when it was taken in; its copies keep it */
    uint32_t attempt;       /* handler calls so far */
    uint32_t deliveries;    /* to the sink so far */
    uint8_t ending;         /* enum ending */
    uint8_t code;           /* enum reject_reason, of what failed for good */
    uint8_t policy;         /* enum weir_policy + 1; 0: the topology's */
    bool is_ghost;          /* settled early: it only travels on */
    bool is_delivering;     /* past handle_message() */
    bool is_requeue;        /* waits for its backoff, to be given back */
    bool is_sealed; /* `changes` are an earlier callback's: not touched */
};

/* Up to `slots` messages whose records are in one allocation. */
struct chunk {
    struct chunk *next;
    unsigned home; /* index of the producer instance */
    uint32_t slots, count, returned;
    size_t capacity, used; /* bytes of records */
    char *records;
    bool is_closed;    /* nothing more is added */
    int64_t failed_ms; /* of a single slot: its first failure; 0: none */
    struct note why;   /* of a single slot: its last failure */

    /* The producer's: live.h.  A copy's `next_live` is its maker's at first. */
    struct chunk *next_live, *previous_live;
    uint64_t open; /* bits of the slots that did not come back */
    bool is_live;

    struct weir_message messages[];
};

enum { CHUNK_SLOTS = 64, CHUNK_BYTES = 64 * 1024 };

/* Counted in the run's budget.  NULL: no memory. */
struct chunk *chunk_create(struct run *run, unsigned home, uint32_t slots,
                           size_t capacity);
void chunk_destroy(struct run *run, struct chunk *chunk);

/* The next slot, zeroed, with its record written; NULL: it doesn't fit. */
struct weir_message *chunk_add(struct chunk *chunk,
                               const struct weir_record *record, size_t size);

/* The message this list node is the first of. */
static inline struct weir_message *message_of(struct mail *mail)
{
    return (struct weir_message *)mail;
}

static inline int message_epoch_state(const struct weir_message *msg)
{
    return epoch_state(msg->epoch);
}

/* Its epoch has ended: the broker gives it to somebody again.  A ghost is not
 * fenced: nobody else will deliver it. */
static inline bool message_is_fenced(const struct weir_message *msg)
{
    return !msg->is_ghost && message_epoch_state(msg) == EPOCH_ENDED;
}

/* True when nothing else shares its allocation. */
bool message_is_alone(const struct weir_message *msg);

/*
 * A copy in an allocation of its own, so that `msg` does not pin its chunk;
 * with_changes: what a callback made of it, too.  It takes over the ticket:
 * settle `msg` as ENDING_MOVED.  NULL: no memory, `msg` is unchanged.
 */
struct weir_message *message_move(struct run *run, struct weir_message *msg,
                                  bool with_changes);

/* It goes a step on, now; whoever has it says so. */
static inline void message_goes(const struct run *run, struct weir_message *msg,
                                struct whereabouts at)
{
    if (msg->is_ghost)
        return;
    at.since_ms = atomic_load_explicit(&run->now_ms, memory_order_relaxed);
    /* Partner: where_of(), which finds the note of its failure written. */
    atomic_store_explicit(&msg->where, where_pack(&at), memory_order_release);
}

static inline struct whereabouts where_of(const struct weir_message *msg)
{
    return where_unpack(
        atomic_load_explicit(&msg->where, memory_order_acquire));
}

/* Its first failure is now, if it had none, and its last one, too; kept where
 * nothing else shares its allocation. */
void message_note_failure(struct weir_message *msg);

/* Forgets what callbacks changed; the reason stays readable. */
void message_forget_changes(struct weir_message *msg);

/* Records why it failed; `text` is copied.  Without memory a fixed text. */
WEIR_PRINTF(3, 4)
void message_set_reason(struct weir_message *msg, struct context *context,
                        const char *fmt, ...);

/* The changes of a message in a callback, made when there are none, or when
 * they are sealed; NULL: no memory, noted in its context, or not in one. */
struct changes *message_changes(struct weir_message *msg);

/* "topic[3]@42", for logs; into `out`. */
const char *message_name(const struct weir_message *msg, char *out,
                         size_t size);

#endif
