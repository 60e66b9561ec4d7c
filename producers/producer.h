/*
 * producer.h - the stage that reads: one thread per instance.
 */
#ifndef WEIR_PRODUCERS_PRODUCER_H
#define WEIR_PRODUCERS_PRODUCER_H

#include <pthread.h>
#include <stdatomic.h>

#include <weir/producer.h>

#include "backoff.h"
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
    struct rate *rate;                   /* of all instances; NULL: no limit */
    unsigned index;
};

struct producer {
    struct producer_config config;
    struct weir_intake intake;
    void *self; /* the connector's */
    struct reconnect reconnect;
    struct log_repeat trouble;
    pthread_mutex_t why_lock;
    char why[240];    /* guarded: why there is no connection, "" before */
    bool has_drained; /* the connector was told */
    bool has_failed;

    pthread_t thread;
    _Atomic bool is_open;
    _Atomic bool is_at_end;   /* the source is exhausted, all confirmed */
    struct controls controls; /* DRAIN: takes in no more; CLOSE: nothing more
                                 comes back, so confirm, and leave */
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

/* Copies why it has no connection; "" when it has not been told yet.  Any
 * thread. */
void producer_why(struct producer *producer, char *out, size_t size);

/* Books what came back after its thread had ended; no thread runs any more. */
void producer_book_late(struct producer *producer);

#endif
