/*
 * health.h - whether a pipeline lives, and whether it does its work.
 */
#ifndef WEIR_PIPELINE_HEALTH_H
#define WEIR_PIPELINE_HEALTH_H

#include "pipeline.h"

enum { HEALTH_REASON_MAX = 16, HEALTH_TEXT_SIZE = 320 };

/* One thing that is in the way. */
struct health_reason {
    const char *code;            /* "starting", "source", "sink", "flood",
                                    "paused", "draining", "stalled", "stuck" */
    char text[HEALTH_TEXT_SIZE]; /* a sentence for the operator */
};

struct pipeline_health {
    bool is_live;  /* the runtime's own threads make progress */
    bool is_ready; /* is_live, and no reason why not */
    unsigned count;
    struct health_reason reasons[HEALTH_REASON_MAX]; /* the first so many */
};

/* Any thread, before the end of run(). */
void pipeline_health(struct pipeline *pipeline,
                     struct pipeline_health *ret_health);

#endif
