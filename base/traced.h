/*
 * traced.h - a span of a trace: a piece of work, as plain data.
 */
#ifndef WEIR_BASE_TRACED_H
#define WEIR_BASE_TRACED_H

#include <stdbool.h>
#include <stdint.h>

#include "traceparent.h"

enum traced_kind {
    TRACED_PROCESS = 0, /* a handler's call */
    TRACED_SEND         /* a delivery to a destination */
};

struct traced {
    enum traced_kind kind;
    char trace_id[TRACE_ID_SIZE], span_id[TRACE_SPAN_ID_SIZE];
    char parent_id[TRACE_SPAN_ID_SIZE]; /* "": it begins its trace */
    int64_t begin_us, end_us;           /* of the monotonic clock */
    const char *reason;                 /* it failed, and why; NULL: it didn't;
                                           valid during the call */
    /* Valid until the run is freed. */
    const char *source;  /* topic or queue */
    const char *batcher; /* NULL: the handler */
    int32_t partition;   /* -1: none */
    int64_t position;    /* offset, or delivery tag */
    uint32_t attempt, worker;
    uint32_t count; /* of the batch it went with; 0: none */
};

#endif
