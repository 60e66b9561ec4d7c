/*
 * tracer.h - spans of the messages that are sampled.
 */
#ifndef WEIR_FLOW_TRACER_H
#define WEIR_FLOW_TRACER_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "traced.h"

struct run;
struct weir_batch;
struct weir_message;

/* Set before the run, and read by all. */
struct tracer {
    void (*take)(void *opaque, const struct traced *traced); /* NULL: off */
    void *opaque;
    uint64_t seed;
    double share; /* of messages without a trace of their own: 0..1 */
};

/* Whether it is sampled: always the same answer for a message. */
bool tracer_samples(const struct tracer *tracer,
                    const struct weir_message *msg);

/* When its work begins; 0: nobody wants to know. */
static inline int64_t tracer_begin(const struct tracer *tracer,
                                   const struct weir_message *msg)
{
    return tracer->take && tracer_samples(tracer, msg) ? clock_now_us() : 0;
}

/* handle_message() is over; `reason` NULL: as it should be. */
void tracer_handled(const struct tracer *tracer, const struct weir_message *msg,
                    unsigned worker, int64_t begin_us, const char *reason);

/* A batch's delivery is; `reason`: of all that have no outcome. */
void tracer_delivered(const struct tracer *tracer,
                      const struct weir_batch *batch, unsigned worker,
                      const char *reason);

#endif
