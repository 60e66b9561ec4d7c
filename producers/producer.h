/*
 * producer.h - the stage that reads: one thread per instance.
 */
#ifndef WEIR_PRODUCERS_PRODUCER_H
#define WEIR_PRODUCERS_PRODUCER_H

#include <pthread.h>
#include <stdatomic.h>

#include <weir/producer.h>

#include "backoff.h"
#include "cause.h"
#include "control.h"
#include "intake.h"
#include "log.h"
#include "rate.h"

struct producer_config {
    struct run *run;
    struct ready *ready;
    const struct weir_producer_ops *ops;
    const struct weir_settings *settings;
    const struct template *ordering_key; /* NULL: the message's key */
    struct rate *rate;                   /* of all instances */
    unsigned index;
};

/* Why it asks its connector for nothing now, whatever the source. */
enum producer_limit {
    PRODUCER_READS = 0,
    PRODUCER_FULL,   /* enough waits for the workers */
    PRODUCER_MEMORY, /* what is in flight takes all of the memory */
    PRODUCER_FLOOD,  /* too many messages fail */
    PRODUCER_RATE,   /* `rate_limit` */
    PRODUCER_DRAINS,
    PRODUCER_PAUSED, /* somebody asked for it */
    /* must stay last */
    PRODUCER_LIMIT_COUNT
};

struct producer {
    struct producer_config config;
    struct weir_intake intake;
    void *self; /* the connector's */
    struct reconnect reconnect;
    struct log_repeat trouble;
    int64_t told_us;    /* the connection was told of; 0: nobody asked */
    struct cause cause; /* why there is, or was, no connection */
    bool has_drained;   /* the connector was told */
    bool has_failed;

    pthread_t thread;
    _Atomic int limit; /* enum producer_limit */
    _Atomic bool is_open;
    _Atomic bool is_at_end;   /* the source is exhausted, all confirmed */
    struct controls controls; /* DRAIN: takes in no more; CLOSE: nothing more
                                 comes back, so confirm, and leave; PAUSE:
                                 demand is 0 */
    _Atomic int64_t round_us; /* when its thread began its last round */
    _Atomic bool is_over;
};

/* WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status producer_init(struct producer *producer,
                               const struct producer_config *config);
void producer_finish(struct producer *producer);

/* Its thread: opens, pulls, settles, reconnects, until it was asked to close.
 */
void *producer_main(void *opaque);

/* Books what came back after its thread had ended; no thread runs any more. */
void producer_book_late(struct producer *producer);

#endif
