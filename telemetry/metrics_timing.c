/*
 * metrics_timing.c - the part of the metrics that says how long things take.
 *
 * Threads: any.
 */
#include <stdlib.h>

#include "teller.h"
#include "timing.h"

static const struct metric wait = {
    "weir_stage_wait_seconds", METRIC_HISTOGRAM,
    "How long messages waited for a stage; in a batcher, for their batch to "
    "close."};
static const struct metric work = {
    "weir_stage_work_seconds", METRIC_HISTOGRAM,
    "How long a stage worked on messages; in a sink, from handed over to "
    "confirmed."};
static const struct metric latency = {
    "weir_message_latency_seconds", METRIC_HISTOGRAM,
    "From a message's being taken in to its being settled as done or "
    "rejected."};

static void tell_stage(const struct teller *teller, const struct metric *metric,
                       const struct timing *timing,
                       const struct histogram_view *view)
{
    const struct metric_label labels[] = {
        {"stage", timing->stage}, {"batcher", timing->batcher}, {NULL, NULL}};

    teller_histogram(teller, metric, labels, view);
}

enum weir_status metrics_timing(const struct teller *teller,
                                const struct pipeline *pipeline)
{
    const size_t capacity = pipeline_timings(pipeline, NULL, 0);
    struct timing *timings = calloc(capacity, sizeof *timings);
    struct histogram_view view;
    size_t count;

    if (!timings)
        return WEIR_RETRY;
    count = pipeline_timings(pipeline, timings, capacity);
    for (size_t i = 0; i < count; i++)
        tell_stage(teller, &wait, &timings[i], &timings[i].wait);
    for (size_t i = 0; i < count; i++) {
        if (i % 2 == 0) /* no batcher, which does not work on messages */
            tell_stage(teller, &work, &timings[i], &timings[i].work);
    }
    free(timings);
    pipeline_latency(pipeline, &view);
    teller_histogram(teller, &latency, NULL, &view);
    return WEIR_OK;
}
