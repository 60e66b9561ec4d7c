/*
 * traces.h - sends spans to an OpenTelemetry collector, by OTLP over HTTP.
 */
#ifndef WEIR_TELEMETRY_TRACES_H
#define WEIR_TELEMETRY_TRACES_H

#include <stdint.h>

#include <weir/status.h>

#include "pipeline.h"
#include "topology.h"

struct traces;

/* Why spans were dropped; each is counted. */
enum traces_drop {
    TRACES_DROP_FULL = 0, /* too many waited */
    TRACES_DROP_REFUSED,  /* the collector did not want them */
    TRACES_DROP_END,      /* the run was over before it took them */
    /* must stay last */
    TRACES_DROP_COUNT
};

struct traces_counts {
    uint64_t exported, dropped[TRACES_DROP_COUNT];
};

/* As `telemetry.traces` of the topology says; the pipeline tells it from then
 * on.  Before the run; borrows the topology until stop(). */
WEIR_MUST_USE
enum weir_status traces_start(const struct topology *topology,
                              struct pipeline *pipeline,
                              struct traces **ret_traces,
                              struct weir_error *err);

/* After the run: sends what is left, for at most some seconds.  What still
 * comes, of a thread that is stuck, is dropped.  NULL is fine. */
void traces_stop(struct traces *traces);

/* After the pipeline was destroyed; NULL is fine. */
void traces_destroy(struct traces *traces);

/* Any thread. */
void traces_count(struct traces *traces, struct traces_counts *ret_counts);

#endif
