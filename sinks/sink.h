/*
 * sink.h - the stage that delivers: M workers per batcher.
 */
#ifndef WEIR_SINKS_SINK_H
#define WEIR_SINKS_SINK_H

#include <pthread.h>
#include <stdatomic.h>

#include <weir/sink.h>

#include "backoff.h"
#include "batch.h"
#include "cause.h"
#include "control.h"
#include "failure.h"
#include "heap.h"
#include "log.h"
#include "runner.h"

/* A lane that waits for the retry of its first message. */
struct held_lane {
    struct held_lane *next;
    uint64_t lane;
    int64_t due_us;
    struct mail_list messages; /* one slot a letter */
};

/* Batches in order, by `next`. */
struct batch_queue {
    struct weir_batch *head, **tail;
};

struct sink_config {
    struct run *run;
    struct ready *ready;
    const char *batcher;
    unsigned batcher_index;
    struct mailbox *box;            /* closed batches */
    void (*has_room)(void *opaque); /* after one was taken */
    void *has_room_opaque;
    const struct weir_sink_ops *ops; /* NULL: handle_batch */
    const struct weir_settings *settings;
    const struct weir_handler *handler;
    const struct weir_settings *options; /* the handler's */
    struct weir_worker worker;
    uint32_t max_in_flight;
    struct mailbox *letters;       /* of the batcher `dead_letter`, or NULL */
    bool is_dead_letter;           /* what comes here has failed already */
    unsigned place, places;        /* in the journal; 0: none */
    void (*started)(void *opaque); /* tells whoever waits for `start` */
    void *opaque;
};

struct sink {
    struct sink_config config;
    struct board_view limits; /* of its batcher */
    void *self;               /* the connector's */
    struct runner runner;
    struct settler settler;
    struct histogram wait, work; /* of messages: for the sink, and there */
    struct failure failure;
    struct waiter waiter;     /* asleep here */
    struct waiter far_waiter; /* asleep in the connector */
    struct reconnect reconnect;
    struct log_repeat trouble;
    struct cause cause;    /* of the last trouble, for others */
    int64_t retry_at_us;   /* not before: open, or write again */
    uint32_t down_attempt; /* writes in a row that failed as a whole */
    bool is_open, is_down, is_full, has_failed;

    struct batch_queue written; /* a sink has them; the oldest first */
    uint32_t written_count;
    struct batch_queue held; /* to be written, again or for the first time */
    struct heap retries;     /* single messages, where there is no order */
    struct held_lane *lanes; /* where there is */
    uint32_t in_hand;        /* messages in all of these */

    pthread_t thread;
    _Atomic int start; /* 0: under way, 1: started, -1: init failed */
    _Atomic bool is_connected, is_poked;
    _Atomic int64_t down_us;   /* since when it is not connected; 0: it is */
    _Atomic uint32_t retrying; /* messages that wait for their time */
    struct controls controls;  /* DRAIN: lets go of what waits for a retry;
                                  CLOSE: delivers what is there, and leaves */
    _Atomic bool is_over;
    struct weir_error err;
};

/* WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status sink_init(struct sink *sink, const struct sink_config *config);
void sink_finish(struct sink *sink);

/* The worker's thread. */
void *sink_main(void *opaque);

/* Makes it look at its flags.  Any thread. */
void sink_wake(struct sink *sink);

/* Makes it look at the epochs of what it holds, too.  Any thread. */
void sink_poke(struct sink *sink);

#endif
