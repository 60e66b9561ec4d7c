/*
 * processor.h - the stage that runs the handler: N workers.
 */
#ifndef WEIR_PROCESSORS_PROCESSOR_H
#define WEIR_PROCESSORS_PROCESSOR_H

#include <pthread.h>

#include "crew.h"
#include "failure.h"
#include "ready.h"
#include "runner.h"
#include "settle.h"

/* A way on to a batcher. */
struct outlet {
    const char *name;
    struct mailbox *box;
    _Atomic uint64_t messages; /* that went this way */
};

/* One worker. */
struct processor {
    struct run *run;
    struct ready *ready;
    struct crew *crew;
    struct board_view limits;
    struct outlet *outlets; /* shared by all workers; none: messages end here */
    size_t outlet_count;
    bool has_dead_letter; /* behind them, for what failed only */
    struct runner runner;
    struct settler settler;
    struct histogram wait, work; /* of messages: for a worker, and there */
    struct failure failure;
    struct waiter waiter;
    struct weir_worker worker;

    struct mail_list *out; /* per outlet, of this hand */
    uint32_t judged;       /* that the handler is through with, of this hand */
    struct weir_message **last;

    pthread_t thread;
    _Atomic int start; /* 0: under way, 1: started, -1: init failed */
    _Atomic bool is_over;
    struct weir_error err;
    void (*started)(void *opaque); /* tells whoever waits for `start` */
    void *opaque;
};

struct processor_config {
    struct run *run;
    struct ready *ready;
    struct crew *crew; /* of all workers */
    struct outlet *outlets;
    size_t outlet_count;  /* that a message may be routed to */
    bool has_dead_letter; /* one more is behind them */
    const struct weir_handler *handler;
    const struct weir_settings *options;
    struct weir_worker worker;
    void (*started)(void *opaque);
    void *opaque;
};

/* WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status processor_init(struct processor *processor,
                                const struct processor_config *config);
void processor_finish(struct processor *processor);

/* The worker's thread, from init() to terminate(); ends when `ready` is closed
 * and empty. */
void *processor_main(void *opaque);

#endif
