/*
 * failure.h - what happens to messages that finally failed.
 */
#ifndef WEIR_PROCESSORS_FAILURE_H
#define WEIR_PROCESSORS_FAILURE_H

#include "ready.h"
#include "runner.h"
#include "settle.h"

/* One per worker that may fail messages, of a processor or of a sink. */
struct failure {
    struct run *run;
    struct ready *ready; /* where requeues wait */
    struct runner *runner;
    struct settler *settler;
    const struct retry_limits *limits; /* its owner's */
    const char *batcher;      /* whose sink fails them; NULL in a processor */
    struct mail_list letters; /* to the batcher `dead_letter`: one slot each;
                                 whoever added them sends them */
    struct weir_message *messages[CHUNK_SLOTS];
    enum reject_reason codes[CHUNK_SLOTS];
    uint32_t count;
    uint64_t failed;                  /* so far */
    uint32_t recent_ms, recent_count; /* kept in the run's, at that time */
    bool has_stopped;                 /* `then: stop` met one */
};

/* The owner sets `limits`. */
void failure_init(struct failure *failure, struct run *run, struct ready *ready,
                  struct runner *runner, struct settler *settler);

/* Takes `msg`, whose reason is set. */
void failure_add(struct failure *failure, struct weir_message *msg,
                 enum reject_reason code);

/* handle_failed() on all that were added, then their policies; nothing is left
 * here but `letters`. */
void failure_finish(struct failure *failure);

/* How long `msg` waits before it is tried again, by its handler's wish or by
 * backoff. */
int64_t failure_delay_us(const struct retry_limits *limits,
                         const struct weir_message *msg, uint32_t attempt);

#endif
