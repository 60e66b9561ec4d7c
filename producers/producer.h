/*
 * producer.h - the stage that reads: one thread per instance.
 */
#ifndef WEIR_PRODUCERS_PRODUCER_H
#define WEIR_PRODUCERS_PRODUCER_H

#include <pthread.h>
#include <stdatomic.h>

#include <weir/producer.h>

#include "backoff.h"
#include "intake.h"

struct producer_config {
    struct run *run;
    struct ready *ready;
    const struct weir_producer_ops *ops;
    const struct weir_settings *settings;
    const struct template *ordering_key; /* NULL: the message's key */
    unsigned index;
};

struct producer {
    struct producer_config config;
    struct weir_intake intake;
    void *self; /* the connector's */
    struct reconnect reconnect;
    struct log_limit limit;
    bool has_drained; /* the connector was told */
    bool has_failed;

    pthread_t thread;
    _Atomic bool is_open;
    _Atomic bool is_at_end;   /* the source is exhausted, all confirmed */
    _Atomic bool is_draining; /* asked: take in no more */
    _Atomic bool is_quiet;    /* ... and it takes in no more */
    _Atomic bool
        is_closing; /* asked: nothing more comes back; confirm, leave */
    _Atomic int64_t deadline_us;
    _Atomic bool is_over;
};

/* WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status producer_init(struct producer *producer,
                               const struct producer_config *config);
void producer_finish(struct producer *producer);

/* Its thread: opens, pulls, settles, reconnects, until it was asked to close.
 */
void *producer_main(void *producer);

/* Makes it look at its flags.  Any thread. */
void producer_wake(struct producer *producer);

#endif
