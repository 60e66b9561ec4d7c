/*
 * pipeline.h - a topology that runs: stages, their threads, their end.
 */
#ifndef WEIR_PIPELINE_PIPELINE_H
#define WEIR_PIPELINE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/handler.h>
#include <weir/telemetry.h>

#include "topology.h"
#include "traced.h"

struct pipeline;

/* What run() returns; of several, the first of LEAK, GAVE_UP, STOPPED, LATE. */
enum pipeline_exit {
    PIPELINE_EXIT_OK = 0,
    PIPELINE_EXIT_STOPPED = 65, /* `then: stop` met a failed message */
    PIPELINE_EXIT_ABSENT = 69,  /* --until-end: broker or topic not there */
    PIPELINE_EXIT_GAVE_UP = 70, /* WEIR_FATAL, or restarts used up */
    PIPELINE_EXIT_LEAK = 74,    /* the ledger does not balance */
    PIPELINE_EXIT_LATE = 75,    /* abandoned at the deadline */
    PIPELINE_EXIT_CONFIG = 78   /* the handler's init failed */
};

struct pipeline_options {
    const struct weir_handler *handler; /* resolved; not NULL */
    int64_t connect_timeout_us; /* until_end: give up with ABSENT; 0: never */

    /* Called on the supervisor's thread with the id of a stuck worker's
     * thread, to print its stack.  May be NULL. */
    void (*show_stack)(long tid);
};

/* A snapshot for people and reports; each number is exact, the set is not. */
struct pipeline_stats {
    uint64_t received, done, rejected, abandoned, in_flight;
    int64_t lag; /* -1: unknown */
    uint64_t retries, sink_retries, reconnects, restarts, fenced;
    uint64_t rejected_by_handler, rejected_retries, rejected_size,
        rejected_batcher, rejected_sink, rejected_nonsense, rejected_crashes;
    uint64_t dead_letters; /* confirmed: among `rejected` */
    uint64_t dead_letter_errors;
    uint64_t flood_stops; /* too many failed: the source stopped */
    uint64_t callback_errors, handler_stuck, failed_after_settle,
        refused_settlements, gaps, last_deliveries;
    uint64_t batches, closed_size, closed_bytes, closed_timeout, closed_flush,
        closed_drain, closed_starved, closed_revoke, closed_keys;
    bool is_connected; /* all producers and sinks are open */
    bool is_flooded;   /* stopped now, by `failure.stop_above` */
    bool is_draining;
};

/* Borrows `topology` until destroy().  Starts nothing.  WEIR_REJECT: the
 * handler lacks what the topology needs. */
WEIR_MUST_USE
enum weir_status pipeline_create(const struct topology *topology,
                                 const struct pipeline_options *options,
                                 struct pipeline **ret_pipeline,
                                 struct weir_error *err);

/* <weir/telemetry.h>.  Before run(). */
void pipeline_set_telemetry(struct pipeline *pipeline, unsigned kinds,
                            weir_telemetry_fn fn, void *opaque);

/* Spans of the messages that are sampled, from several threads at once; the
 * callback keeps nobody waiting.  Before run(). */
struct pipeline_tracer {
    void (*take)(void *opaque, const struct traced *traced);
    void *opaque;
    double share; /* of messages without a trace of their own: 0..1 */
};
void pipeline_set_tracer(struct pipeline *pipeline,
                         const struct pipeline_tracer *tracer);

/* Blocks until drained; once.  Returns an enum pipeline_exit.  One line says
 * why it isn't 0. */
int pipeline_run(struct pipeline *pipeline);

/* Any thread, a signal handler, any number of times, also before run(). */
void pipeline_drain(struct pipeline *pipeline);

/* Any thread, also while it runs. */
void pipeline_stats(const struct pipeline *pipeline,
                    struct pipeline_stats *ret_stats);

/* Any thread, before the end of run(). */

/* The source is read no more, and what was taken in goes on; resume() ends it.
 * Any number of times. */
void pipeline_pause(struct pipeline *pipeline);
void pipeline_resume(struct pipeline *pipeline);
bool pipeline_is_paused(const struct pipeline *pipeline); /* it was asked */

/* What is taken in from now on, instead of what the topology says. */
void pipeline_set_rate(struct pipeline *pipeline,
                       const struct topology_rate_limit *limit);
void pipeline_rate(struct pipeline *pipeline,
                   struct topology_rate_limit *ret_limit);

/* After run().  WEIR_AGAIN: a thread is stuck in foreign code; nothing was
 * freed. */
WEIR_MUST_USE
enum weir_status pipeline_destroy(struct pipeline *pipeline);

#endif
