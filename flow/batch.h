/*
 * batch.h - messages on their way to a destination together.
 */
#ifndef WEIR_FLOW_BATCH_H
#define WEIR_FLOW_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/batch.h>

#include "mail.h"
#include "message.h"

struct batch_reason {
    struct batch_reason *next;
    char text[];
};

struct weir_batch {
    struct mail mail; /* first */
    struct run *run;
    const char *batcher;
    struct weir_bytes key; /* the batch's own copy, or absent */
    uint64_t key_hash;
    unsigned worker;             /* the sink worker it is for; 0 when any */
    int64_t due_us;              /* while it is open: when it closes */
    int64_t closed_us, begun_us; /* then, and with its sink; 0: not */
    int64_t
        told_us; /* its start in the batcher, or sink, was; 0: nobody asked */
    size_t payload_size;
    uint32_t count, capacity;
    uint32_t moved;  /* messages that pin no chunk any more */
    bool is_flushed; /* a message asked for its end */
    struct weir_message **messages;

    /* While a sink has it. */
    uint8_t *outcomes; /* enum weir_status + 1 per message; 0: none yet */
    const char **why;
    uint32_t missing; /* outcomes */
    struct batch_reason *reasons;
    struct batch_seal *seals;                     /* during handle_batch() */
    struct weir_batch *next;                      /* in a list of the sink's */
    struct weir_batch *next_open, *previous_open; /* in the batcher's, by age */
    struct weir_batch *next_in_bucket;
};

/* NULL: no memory. */
struct weir_batch *batch_create(struct run *run, const char *batcher,
                                struct weir_bytes key, unsigned worker);
void batch_destroy(struct weir_batch *batch); /* not its messages */

/* An absent key and an empty one differ. */
bool batch_has_key(const struct weir_batch *batch, struct weir_bytes key);

/* WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status batch_add(struct weir_batch *batch, struct weir_message *msg);

/* Ready to be written (again): no message has an outcome.  WEIR_RETRY: no
 * memory. */
WEIR_MUST_USE
enum weir_status batch_begin(struct weir_batch *batch);

/*
 * Around handle_batch(): what it changes is its own, and goes with its return,
 * so that the next call, if there is one, sees what handle_message() made.  A
 * reason stays.  WEIR_RETRY: no memory, nothing was done.
 */
WEIR_MUST_USE
enum weir_status batch_seal(struct weir_batch *batch);
void batch_unseal(struct weir_batch *batch);

/* The outcome of one message; WEIR_STATUS_COUNT when it has none. */
enum weir_status batch_outcome(const struct weir_batch *batch, uint32_t index);

/* Keeps messages for which keep[index]; the rest are the caller's. */
void batch_keep(struct weir_batch *batch, const bool *keep);

static inline struct weir_batch *batch_of(struct mail *mail)
{
    return (struct weir_batch *)mail;
}

#endif
