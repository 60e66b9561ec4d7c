/*
 * spans.h - spans that wait to be sent, as many as fit.
 */
#ifndef WEIR_TELEMETRY_SPANS_H
#define WEIR_TELEMETRY_SPANS_H

#include <pthread.h>
#include <stddef.h>

#include <weir/status.h>

#include "traced.h"

enum { SPAN_REASON_SIZE = 120 };

struct span_record {
    struct traced traced; /* without its reason */
    bool is_failed;
    char reason[SPAN_REASON_SIZE];
};

struct spans {
    size_t limit;

    pthread_mutex_t lock; /* of what follows */
    struct span_record *waiting;
    size_t count;
    uint64_t dropped;
};

WEIR_MUST_USE
enum weir_status spans_init(struct spans *spans, size_t limit,
                            struct weir_error *err);
void spans_finish(struct spans *spans);

/* Copies, or counts it as dropped.  Any thread; keeps nobody waiting for longer
 * than a copy. */
void spans_add(struct spans *spans, const struct traced *traced);

/* Exchanges what waits for `empty`, an array of as many; returns how many. */
size_t spans_take(struct spans *spans, struct span_record **empty);

uint64_t spans_dropped(struct spans *spans);

#endif
