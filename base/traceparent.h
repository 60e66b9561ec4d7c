/*
 * traceparent.h - W3C Trace Context, as headers carry it.
 */
#ifndef WEIR_BASE_TRACEPARENT_H
#define WEIR_BASE_TRACEPARENT_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/bytes.h>

/* Lower-case hexadecimal, with a NUL. */
enum { TRACE_ID_SIZE = 33, TRACE_SPAN_ID_SIZE = 17, TRACEPARENT_SIZE = 56 };

struct traceparent {
    char trace_id[TRACE_ID_SIZE], parent_id[TRACE_SPAN_ID_SIZE];
    bool is_sampled;
};

/* False: it is none, and says nothing. */
bool traceparent_parse(struct weir_bytes text, struct traceparent *ret_parent);

/* Whether it is a `tracestate` that may be passed on. */
bool tracestate_is_valid(struct weir_bytes text);

#endif
