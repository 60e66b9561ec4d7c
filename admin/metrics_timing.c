/*
 * metrics_timing.c - the part of /metrics that says how long things take.
 *
 * Threads: the admin's.
 */
#include "metrics_timing.h"

#include <stdlib.h>

#include "timing.h"

static void write_stages(const struct exposition *exposition,
                         const struct timing *timings, size_t count)
{
    exposition_family(exposition, "weir_stage_wait_seconds", "histogram",
                      "How long messages waited for a stage; in a batcher, for "
                      "their batch to close.");
    for (size_t i = 0; i < count; i++)
        exposition_histogram(
            exposition, "weir_stage_wait_seconds",
            &(struct exposition_labels){timings[i].stage, timings[i].batcher},
            &timings[i].wait);
    exposition_family(exposition, "weir_stage_work_seconds", "histogram",
                      "How long a stage worked on messages; in a sink, from "
                      "handed over to confirmed.");
    for (size_t i = 0; i < count; i++) {
        if (i % 2 == 1) /* a batcher */
            continue;
        exposition_histogram(
            exposition, "weir_stage_work_seconds",
            &(struct exposition_labels){timings[i].stage, timings[i].batcher},
            &timings[i].work);
    }
}

void metrics_timing(const struct exposition *exposition,
                    const struct pipeline *pipeline)
{
    const size_t capacity = pipeline_timings(pipeline, NULL, 0);
    struct timing *timings = calloc(capacity, sizeof *timings);
    struct histogram_view latency;

    if (!timings)
        return; /* the next scrape has them */
    write_stages(exposition, timings,
                 pipeline_timings(pipeline, timings, capacity));
    free(timings);
    pipeline_latency(pipeline, &latency);
    exposition_family(exposition, "weir_message_latency_seconds", "histogram",
                      "From a message's being taken in to its being settled as "
                      "done or rejected.");
    exposition_histogram(exposition, "weir_message_latency_seconds",
                         &(struct exposition_labels){NULL, NULL}, &latency);
}
