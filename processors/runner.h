/*
 * runner.h - how stages reach a handler; nothing else calls a callback.
 *
 * The thread runner calls it on the worker's own thread.  One that runs it in
 * another process has the same functions: what crosses is a range of messages
 * there and results back.
 */
#ifndef WEIR_PROCESSORS_RUNNER_H
#define WEIR_PROCESSORS_RUNNER_H

#include <weir/handler.h>

#include "hand.h"
#include "journal.h"
#include "message.h"
#include "slot.h"

struct runner {
    struct weir_handler handler;
    const struct weir_settings *options;
    struct context context;
    struct slot slot;
    void *state;
    unsigned worker; /* its number */
    bool is_started;

    /* With a journal. */
    unsigned place, places;         /* the worker's in it, from the first on */
    enum journal_callback of_batch; /* which handle_batch() is */
    bool is_attached;
    bool has_passed, is_isolated; /* its gate */
};

/* Borrows `handler` and `options`.  Not started. */
void runner_init(struct runner *runner, struct run *run,
                 const struct weir_handler *handler,
                 const struct weir_settings *options);

/* On the worker's thread: init().  stop(): terminate(), if it was started. */
WEIR_MUST_USE
enum weir_status runner_start(struct runner *runner,
                              const struct weir_worker *worker,
                              struct weir_error *err);
void runner_stop(struct runner *runner);

/* Asks whether a message that no callback has begun may still be begun. */
bool runner_may_begin(const struct run *run, const struct weir_message *msg);

/*
 * prepare_messages() on the first `count` messages of a hand, handle_message()
 * on each.  results[i] is what it answered, or WEIR_AGAIN when it was not begun
 * and may not be any more, or WEIR_STATUS_COUNT when what it answered is no
 * answer.  Returns how many have a result: it stops where the rest was taken
 * back, and in an ordered mode behind a message that is to be tried again.
 */
uint32_t runner_run(struct runner *runner, struct hand *hand, uint32_t count,
                    enum weir_status *results);

/* `msg` has taken the process down too often: it may not be run.  Its reason is
 * set. */
bool runner_is_condemned(struct runner *runner, struct weir_message *msg);

/*
 * How many of the first messages of a batch handle_batch() may have together:
 * one that took the process down is alone.  0: the first may not be run, and
 * its reason is set.
 */
uint32_t runner_may_batch(struct runner *runner,
                          struct weir_message *const *messages, uint32_t count);

/* handle_batch(). */
enum weir_status runner_run_batch(struct runner *runner,
                                  struct weir_batch *batch);

/* handle_failed(), if there is one. */
void runner_run_failed(struct runner *runner, struct weir_message **messages,
                       uint32_t count);

/* After a hand or a batch: its arena is its messages' alone. */
void runner_release(struct runner *runner);

#endif
