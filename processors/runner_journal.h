/*
 * runner_journal.h - a runner that writes down what it is doing.
 *
 * Every function does nothing, at the price of one test, in a run without a
 * journal.
 */
#ifndef WEIR_PROCESSORS_RUNNER_JOURNAL_H
#define WEIR_PROCESSORS_RUNNER_JOURNAL_H

#include "journal.h"
#include "runner.h"

/* On the worker's thread, around its life. */
WEIR_MUST_USE
enum weir_status runner_journal_start(struct runner *runner,
                                      struct weir_error *err);
void runner_journal_stop(struct runner *runner);

/* What a callback is about to see. */
void runner_journal_enter(struct runner *runner, enum journal_callback callback,
                          struct weir_message *const *messages, uint32_t count);
void runner_journal_leave(struct runner *runner);

/* Whether some have to be handled alone, and so all are run one by one. */
bool runner_journal_has_suspects(const struct runner *runner);

/* Whether some have to be alone, or may not be run at all. */
bool runner_journal_is_watchful(const struct runner *runner);

/* Around a callback for `msg`; NULL: for several, that nobody suspects. */
void runner_journal_begin(struct runner *runner, enum journal_callback callback,
                          struct weir_message *msg);
void runner_journal_end(struct runner *runner, enum journal_callback callback,
                        struct weir_message *msg);

/* Whether `msg` may not be in `callback` any more; `ret_crashes` says why. */
bool runner_journal_forbids(struct runner *runner,
                            enum journal_callback callback,
                            const struct weir_message *msg,
                            unsigned *ret_crashes);

#endif
