/*
 * signals.h - what SIGTERM, SIGINT and SIGHUP mean to a run.
 */
#ifndef WEIR_CLI_SIGNALS_H
#define WEIR_CLI_SIGNALS_H

#include <weir/status.h>

struct signals;

/*
 * Before any other thread is started, because threads inherit what is blocked.
 * The first SIGTERM or SIGINT calls `drain` on a thread of its own, the second
 * ends the process at once with 128 + its number.
 */
WEIR_MUST_USE
enum weir_status signals_start(void (*drain)(void *opaque), void *opaque,
                               struct signals **ret_signals,
                               struct weir_error *err);

/* Afterwards one SIGTERM ends the process.  NULL is fine. */
void signals_stop(struct signals *signals);

/* Makes the thread `tid` of this process print its stack on standard error,
 * also while it is stuck in foreign code.  Any thread. */
void signals_show_stack(long tid);

#endif
