/*
 * otlp.h - spans as OTLP has them, in JSON.
 *
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
#ifndef WEIR_TELEMETRY_OTLP_H
#define WEIR_TELEMETRY_OTLP_H

#include <stddef.h>
#include <stdint.h>

#include "spans.h"

/* Who speaks. */
struct otlp_resource {
    const char *service; /* the pipeline */
    const char *host;
    const char *system; /* the source: "kafka", "rabbitmq", ... */
    int64_t wall_us;    /* what the monotonic clock's 0 was by the calendar */
};

/* The body of a request, for free(); NULL: no memory. */
char *otlp_request(const struct otlp_resource *resource,
                   const struct span_record *spans, size_t count);

/* How many spans an answer of 200 says it did not take; nonsense is none. */
uint64_t otlp_refused(const char *body, size_t size);

#endif
