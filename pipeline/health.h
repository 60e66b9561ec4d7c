/*
 * health.h - whether a pipeline lives, and whether it does its work.
 */
#ifndef WEIR_PIPELINE_HEALTH_H
#define WEIR_PIPELINE_HEALTH_H

#include "pipeline.h"

enum { HEALTH_REASON_MAX = 16, HEALTH_TEXT_SIZE = 320 };

enum health_code {
    HEALTH_STARTING = 0,
    HEALTH_SOURCE,
    HEALTH_SINK,
    HEALTH_FLOOD,
    HEALTH_PAUSED,
    HEALTH_DRAINING,
    HEALTH_STALLED,
    HEALTH_STUCK,
    /* must stay last */
    HEALTH_CODE_COUNT
};
extern const char *const health_codes[HEALTH_CODE_COUNT]; /* "starting", ... */

/* One thing that is in the way. */
struct health_reason {
    const char *code;            /* one of health_codes */
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
