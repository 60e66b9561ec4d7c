/*
 * weir/sink.h - what a sink connector implements.
 */
#ifndef WEIR_SINK_H
#define WEIR_SINK_H

#include <weir/batch.h>
#include <weir/finding.h>
#include <weir/settings.h>
#include <weir/share.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One instance per sink worker, called by that worker's thread only, except
 * wake().  open -> (write | poll | flush)* -> close.  A call that returns
 * WEIR_RETRY asks to be closed and opened again; the runtime does that with
 * backoff, for ever, and writes again what has no outcome.  WEIR_FATAL asks for
 * the same where it was not to be expected: that is counted in the restart
 * budget of the pipeline.
 */
struct weir_sink_ops {
    const char *name;
    const char *help;                  /* one line, for `weir list` */
    const struct weir_option *options; /* what it accepts; ends with {0} */
    size_t self_size;                  /* the runtime allocates it, zeroed */
    bool is_ordered; /* after a failed message nothing later is delivered */
    bool has_client; /* that keeps copies of what is under way, in its
                        `memory` of <weir/share.h> */

    /* Refuses what can be known to be wrong without a connection.  NULL:
     * nothing beyond the table. */
    void (*check)(const struct weir_settings *settings);

    /* Asks the destination what will go wrong: as struct weir_producer_ops's
     * probe.  NULL: there is nobody to ask. */
    void (*probe)(const struct weir_settings *settings, int64_t deadline_us,
                  struct weir_findings *findings);

    /* When it fails, close() is still called. */
    enum weir_status (*open)(void *self, const struct weir_settings *settings,
                             struct weir_error *err);

    /*
     * WEIR_OK takes the batch; WEIR_AGAIN (full), WEIR_RETRY and WEIR_FATAL
     * leave it with the runtime.  May block, but no longer than its own
     * timeouts.  Outcomes are set with weir_batch_set_outcome(), in write(),
     * poll() or flush(), in any order; the batch is over when every message
     * has one, and not before.
     */
    enum weir_status (*write)(void *self, struct weir_batch *batch,
                              struct weir_error *err);

    /* Serves the client until an outcome was set or `deadline_us` came.
     * Called at least every second, also with nothing to wait for: then the
     * deadline is over, and it keeps the connection alive.  WEIR_HOLD, for as
     * long as it lasts: the destination is down, and the client tries by
     * itself; `err` says why.  NULL when write() always finishes. */
    enum weir_status (*poll)(void *self, int64_t deadline_us,
                             struct weir_error *err);

    /* Writes out what is buffered and waits for outcomes until the deadline;
     * WEIR_AGAIN when some are missing.  NULL when nothing is buffered. */
    enum weir_status (*flush)(void *self, int64_t deadline_us,
                              struct weir_error *err);

    /* Cuts write(), poll() or flush() short, from any thread.  NULL when none
     * of them waits. */
    void (*wake)(void *self);

    /* Batches without all outcomes go back to the runtime, which writes them
     * again after the next open(). */
    void (*close)(void *self, int64_t deadline_us);
};

#ifdef __cplusplus
}
#endif

#endif
