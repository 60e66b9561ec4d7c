/*
 * reloader.h - reads the topology file of a run again when somebody asks.
 */
#ifndef WEIR_CLI_RELOADER_H
#define WEIR_CLI_RELOADER_H

#include <stdint.h>

#include "loaded.h"
#include "pipeline.h"

struct reloader;

/* All borrowed until stop(). */
struct reloader_config {
    const struct loaded_request *request; /* what the run was started with */
    const struct loaded *loaded;          /* what came of it */
    struct pipeline *pipeline;
};

/* Nothing is read before begin(), which starts its thread. */
WEIR_MUST_USE
enum weir_status reloader_create(const struct reloader_config *config,
                                 struct reloader **ret_reloader,
                                 struct weir_error *err);
WEIR_MUST_USE
enum weir_status reloader_begin(struct reloader *reloader,
                                struct weir_error *err);

/* Reads it, once more if it is doing that now: the file may be another one
 * since.  Any thread; doesn't wait.  `by` is static: who asks. */
void reloader_ask(struct reloader *reloader, const char *by);

/* Asks, and waits for a reading that began after that.  WEIR_AGAIN: it is not
 * over by the deadline.  Any thread. */
WEIR_MUST_USE
enum weir_status reloader_ask_and_wait(struct reloader *reloader,
                                       const char *by, int64_t deadline_us);

/* WEIR_AGAIN: it is stuck in a file that can't be read: nothing was freed.
 * NULL is fine. */
WEIR_MUST_USE
enum weir_status reloader_stop(struct reloader *reloader);

#endif
