/*
 * timing.h - where messages wait, and where they are worked on.
 */
#ifndef WEIR_PIPELINE_TIMING_H
#define WEIR_PIPELINE_TIMING_H

#include "histogram.h"
#include "pipeline.h"

struct timing {
    const char *stage;          /* "processor", "batcher", "sink" */
    const char *batcher;        /* NULL: the processors */
    struct histogram_view wait; /* before it; in a batcher: for the batch */
    struct histogram_view work; /* a batcher has none */
};

/* One for the processors, and two for each batcher.  Returns how many there
 * are; writes at most `capacity`.  Any thread, until destroy(). */
size_t pipeline_timings(const struct pipeline *pipeline, struct timing *out,
                        size_t capacity);

/* From taken in to settled, of messages that were done or rejected. */
void pipeline_latency(const struct pipeline *pipeline,
                      struct histogram_view *ret_view);

#endif
