/*
 * signals.h - what SIGTERM, SIGINT and SIGHUP mean to a run.
 */
#ifndef WEIR_CLI_SIGNALS_H
#define WEIR_CLI_SIGNALS_H

#include <weir/status.h>

struct signals;

/* Both are called on a thread of their own, and must not wait. */
struct signals_config {
    void (*drain)(void *opaque);
    void *drain_opaque;
    void (*reload)(void *opaque); /* NULL: SIGHUP is said and ignored */
    void *reload_opaque;
};

/* From the first moment of a run: SIGHUP waits for start(), rather than end a
 * process that is not ready for it. */
void signals_hold(void);

/*
 * Before any other thread is started, because threads inherit what is blocked.
 * The first SIGTERM or SIGINT drains, the second ends the process at once with
 * 128 + its number; SIGHUP reloads.
 */
WEIR_MUST_USE
enum weir_status signals_start(const struct signals_config *config,
                               struct signals **ret_signals,
                               struct weir_error *err);

/* Afterwards one SIGTERM ends the process.  NULL is fine. */
void signals_stop(struct signals *signals);

/* Makes the thread `tid` of this process print its stack on standard error,
 * also while it is stuck in foreign code.  Any thread. */
void signals_show_stack(long tid);

#endif
