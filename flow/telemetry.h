/*
 * telemetry.h - <weir/telemetry.h> inside the runtime.
 */
#ifndef WEIR_FLOW_TELEMETRY_H
#define WEIR_FLOW_TELEMETRY_H

#include <stdbool.h>

#include <weir/telemetry.h>

#include "clock.h"
#include "run.h"

/* One load and a comparison where nobody listens. */
static inline bool telemetry_wants(const struct run *run,
                                   enum weir_telemetry_kind kind)
{
    return (run->telemetry_kinds & WEIR_TELEMETRY_BIT(kind)) != 0;
}

/* Fills in the pipeline.  When somebody wants it. */
void telemetry_emit(const struct run *run, struct weir_telemetry_event *event);

/* A start, or nothing where nobody wants it: returns its time, else 0. */
int64_t telemetry_start(const struct run *run,
                        const struct weir_telemetry_event *event);

/* The end of it: an exception where `reason` is there.  `since_us` 0: nobody
 * wanted the start. */
void telemetry_stop(const struct run *run,
                    const struct weir_telemetry_event *event, int64_t since_us,
                    const char *reason);

#endif
