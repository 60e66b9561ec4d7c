/*
 * batcher.h - the stage that groups messages for a destination.
 */
#ifndef WEIR_BATCHERS_BATCHER_H
#define WEIR_BATCHERS_BATCHER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "control.h"
#include "mailbox.h"
#include "open.h"
#include "settle.h"

struct batcher_config {
    struct run *run;
    const char *name;
    unsigned index;   /* among the batchers */
    unsigned workers; /* of its sink */
    uint32_t inbox_messages;
    size_t inbox_bytes;
};

struct batcher {
    struct batcher_config config;
    struct board_view limits; /* of `limits.batch` */
    struct mailbox inbox;     /* from the processors */
    struct mailbox *boxes; /* to the sink workers: one each in an ordered mode,
                              else one for all */
    unsigned box_count;
    struct weir_batch **outbox; /* closed, and its box is full; per box */
    struct open_batches open;
    struct mail_list hand; /* taken, and not yet in a batch */
    struct settler settler;
    struct histogram wait; /* of messages, in an open batch */
    struct waiter waiter;
    bool is_uneasy; /* some batch may have to close before its time */
    bool has_full;  /* some batch is full, or flushed, and found no room */
    bool is_out_of_memory;
    int64_t tidy_us;

    /* For people, of the last round. */
    _Atomic uint32_t shown_batches, shown_messages; /* open */
    _Atomic uint32_t shown_hand;
    _Atomic int64_t shown_oldest_us; /* when the oldest was opened; 0: none */

    _Atomic bool is_poked, is_blocked;
    struct controls controls; /* CLOSE: closes every batch, and leaves */
    _Atomic bool is_over;
    pthread_t thread;
};

/* WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status batcher_init(struct batcher *batcher,
                              const struct batcher_config *config);
void batcher_finish(struct batcher *batcher);

/* Its thread; ends when it was asked to close and everything left. */
void *batcher_main(void *opaque);

/* Makes it look at its batches again.  Any thread. */
void batcher_poke(struct batcher *batcher);

/* A sink worker took a batch: there may be room.  Any thread. */
void batcher_has_room(struct batcher *batcher);

#endif
