/*
 * exposition.h - the text form in which Prometheus reads metrics.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#ifndef WEIR_ADMIN_EXPOSITION_H
#define WEIR_ADMIN_EXPOSITION_H

#include <stdio.h>

#include "histogram.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct exposition {
    FILE *out;
    const char *pipeline; /* a label of every sample */
};

/* `type` is "counter" or "gauge"; samples of `name` follow. */
void exposition_family(const struct exposition *exposition, const char *name,
                       const char *type, const char *help);

/* `label` NULL: the pipeline's alone.  Any bytes may be in `label_value`. */
void exposition_sample(const struct exposition *exposition, const char *name,
                       const char *label, const char *label_value,
                       double value);

/* The samples of one histogram of a family of that type, in seconds. */
struct exposition_labels {
    const char *stage, *batcher; /* or NULL */
};
void exposition_histogram(const struct exposition *exposition, const char *name,
                          const struct exposition_labels *labels,
                          const struct histogram_view *view);

#endif
