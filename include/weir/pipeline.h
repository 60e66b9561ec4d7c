/*
 * weir/pipeline.h - a pipeline inside a program of your own.
 *
 * The library installs no signal handler, never exits, and logs through a
 * callback.  Several pipelines may live in one process.
 */
#ifndef WEIR_PIPELINE_H
#define WEIR_PIPELINE_H

#include <weir/handler.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_pipeline; /* opaque */

/* received = done + rejected + abandoned + in_flight, none of them computed
 * from the others; `received` counts deliveries. */
struct weir_ledger {
    uint64_t received, done, rejected, abandoned, in_flight;
};

struct weir_pipeline_config {
    const char *topology; /* the text of a topology file */
    const char *file;     /* named in errors; base of relative paths; may be
                             NULL: "topology" and the working folder */
    const struct weir_handler *handler; /* for `handler: linked`, or NULL */
    int until_end;                      /* as `weir run --until-end` */
};

/* From any thread of the pipeline, also at once.  NULL: standard error. */
typedef void (*weir_log_fn)(void *opaque, enum weir_log_level level,
                            const char *line);

/* For all pipelines of the process; set it before the first one. */
WEIR_EXPORT
void weir_set_log(weir_log_fn log, void *opaque);

/* Nothing connects yet.  WEIR_REJECT: the topology, the plugin or its ABI is
 * wrong; `err` has the first error, and each was logged at its line. */
WEIR_EXPORT
WEIR_MUST_USE
enum weir_status weir_pipeline_create(const struct weir_pipeline_config *config,
                                      struct weir_pipeline **ret_pipeline,
                                      struct weir_error *err);

/* Runs until drained, on this thread and those it starts, once.  Returns what
 * `weir run` would exit with (docs/shutdown.md). */
WEIR_EXPORT
int weir_pipeline_run(struct weir_pipeline *pipeline);

/* Starts an orderly end, also before run().  Any thread, any number of times,
 * also from a signal handler. */
WEIR_EXPORT
void weir_pipeline_drain(struct weir_pipeline *pipeline);

/* Any thread, while and after it runs. */
WEIR_EXPORT
void weir_pipeline_ledger(const struct weir_pipeline *pipeline,
                          struct weir_ledger *ret_ledger);

/* WEIR_AGAIN while a thread is stuck in foreign code after the deadline:
 * nothing was freed.  NULL is fine. */
WEIR_EXPORT
WEIR_MUST_USE
enum weir_status weir_pipeline_destroy(struct weir_pipeline *pipeline);

/* The whole `weir` command with `handler` linked in; NULL: none. */
WEIR_EXPORT
int weir_main(int argc, char **argv, const struct weir_handler *handler);

WEIR_EXPORT
const char *weir_version(void);

#ifdef __cplusplus
}
#endif

#endif
