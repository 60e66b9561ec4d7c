/*
 * timing.c - where messages wait, and where they are worked on.
 *
 * Every worker counts for itself; whoever asks adds them up.  The stage before
 * which messages wait longest, while they wait nowhere behind it, is the
 * bottleneck.
 *
 * Threads: any; it reads histograms.
 */
#include "timing.h"

#include <string.h>

#include "assembly.h"

static void time_processors(const struct pipeline *pipeline, struct timing *out)
{
    *out = (struct timing){.stage = "processor"};
    for (unsigned i = 0; i < pipeline->processor_count; i++) {
        histogram_merge(&pipeline->processors[i].wait, &out->wait);
        histogram_merge(&pipeline->processors[i].work, &out->work);
    }
}

static void time_sinks(const struct pipeline *pipeline, const char *batcher,
                       struct timing *out)
{
    *out = (struct timing){.stage = "sink", .batcher = batcher};
    for (unsigned i = 0; i < pipeline->sink_count; i++) {
        const struct sink *sink = &pipeline->sinks[i];

        if (strcmp(sink->config.batcher, batcher) != 0)
            continue;
        histogram_merge(&sink->wait, &out->wait);
        histogram_merge(&sink->work, &out->work);
    }
}

size_t pipeline_timings(const struct pipeline *pipeline, struct timing *out,
                        size_t capacity)
{
    const size_t count = 1 + 2 * (size_t)pipeline->batcher_count;

    if (capacity > 0)
        time_processors(pipeline, out);
    for (size_t i = 1; i < count && i < capacity; i++) {
        const struct batcher *batcher = &pipeline->batchers[(i - 1) / 2];

        if (i % 2 == 0) {
            time_sinks(pipeline, batcher->config.name, &out[i]);
            continue;
        }
        out[i] = (struct timing){.stage = "batcher",
                                 .batcher = batcher->config.name};
        histogram_merge(&batcher->wait, &out[i].wait);
    }
    return count;
}

void pipeline_latency(const struct pipeline *pipeline,
                      struct histogram_view *ret_view)
{
    struct histogram_view view = {0};

    for (unsigned i = 0; i < pipeline->processor_count; i++)
        histogram_merge(&pipeline->processors[i].settler.latency, &view);
    for (unsigned i = 0; i < pipeline->batcher_count; i++)
        histogram_merge(&pipeline->batchers[i].settler.latency, &view);
    for (unsigned i = 0; i < pipeline->sink_count; i++)
        histogram_merge(&pipeline->sinks[i].settler.latency, &view);
    *ret_view = view;
}
