/*
 * reload.h - another topology file for a pipeline that runs.
 */
#ifndef WEIR_PIPELINE_RELOAD_H
#define WEIR_PIPELINE_RELOAD_H

#include "pipeline.h"
#include "tuning.h"

enum reload_outcome {
    RELOAD_NONE = 0,  /* there was none so far */
    RELOAD_APPLIED,   /* some values are others now */
    RELOAD_UNCHANGED, /* there was nothing to apply */
    RELOAD_REFUSED,   /* everything is as before */
    /* must stay last */
    RELOAD_OUTCOME_COUNT
};
extern const char *const reload_outcome_names[RELOAD_OUTCOME_COUNT];

enum { RELOAD_LISTED = 64, RELOAD_WHY_SIZE = 400 };

struct reload_list {
    struct tuning_change changes[RELOAD_LISTED];
    size_t count; /* may be more than are listed */
};

/* What became of the last one. */
struct reload_result {
    enum reload_outcome outcome;
    int64_t wall_ms;
    const char *by; /* "SIGHUP" */
    char why[RELOAD_WHY_SIZE];
    struct reload_list applied;
    struct reload_list restart; /* what the file says otherwise, and only a
                                   restart changes */
};

struct reload_view {
    uint64_t generation; /* of the values that hold; 1: as it started */
    unsigned late; /* instances of stages that go by older ones still: they
                      are in a callback */
    uint64_t counts[RELOAD_OUTCOME_COUNT];
    struct reload_result last;
};

/*
 * Makes what can be so without a restart as `next` says: all of it, as one
 * step, or, when that makes no sense beside what stays, nothing.  Sources and
 * sinks are not touched.  WEIR_REJECT: nothing has changed; `err` says why.
 * Either is noted, and logged.  Any thread, not two at once; `by` is static:
 * who asked.
 */
enum weir_status pipeline_reload(struct pipeline *pipeline,
                                 const struct topology *next, const char *by,
                                 struct weir_error *err);

/* The file could not be read, or is wrong: that is noted, and logged. */
void pipeline_refuse_reload(struct pipeline *pipeline, const char *by,
                            const char *why);

/* A new one, for free().  NULL: no memory.  Any thread. */
struct reload_view *pipeline_look_at_reload(struct pipeline *pipeline);

/* The values that hold now; finish them.  WEIR_RETRY: no memory.  Any thread.
 */
WEIR_MUST_USE
enum weir_status pipeline_tuning(struct pipeline *pipeline,
                                 struct tuning *ret_tuning);

#endif
