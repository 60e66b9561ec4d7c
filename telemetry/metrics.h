/*
 * metrics.h - what a run measures, told in one form or another.
 *
 * The metrics are listed once; a form (Prometheus' text, StatsD's datagrams) is
 * told all of them, those of one name one after another.
 */
#ifndef WEIR_TELEMETRY_METRICS_H
#define WEIR_TELEMETRY_METRICS_H

#include <weir/status.h>

#include "histogram.h"
#include "pipeline.h"
#include "topology.h"

/* By the conventions of Prometheus: base units, `_total` on what only rises. */
enum metric_type {
    METRIC_COUNTER = 0,
    METRIC_GAUGE,
    METRIC_HISTOGRAM, /* its name ends in `_seconds` */
    /* must stay last */
    METRIC_TYPE_COUNT
};

struct metric {
    const char *name;
    enum metric_type type;
    const char *help;
};

/* The pipeline comes first; a NULL name ends them.  A value may have any bytes
 * but NUL. */
enum { METRIC_LABELS = 4 };

struct metric_label {
    const char *name, *value;
};

struct metric_labels {
    struct metric_label list[METRIC_LABELS + 1];
};

/* All is borrowed for the call. */
struct metrics_form {
    void *self;
    void (*number)(void *self, const struct metric *metric,
                   const struct metric_labels *labels, double value);
    void (*histogram)(void *self, const struct metric *metric,
                      const struct metric_labels *labels,
                      const struct histogram_view *view);
};

struct traces;

struct metrics_source {
    const struct topology *topology;
    struct pipeline *pipeline;
    struct traces *traces; /* or NULL */
};

/* Any thread, until destroy().  WEIR_RETRY: no memory, some were not told. */
WEIR_MUST_USE
enum weir_status metrics_tell(const struct metrics_source *source,
                              const struct metrics_form *form);

#endif
