/*
 * weir/telemetry.h - what a pipeline does, told to a program that embeds it.
 *
 * Each kind of work has a start, and a stop or an exception, with how long it
 * took.  The events are called on the thread that does the work, which waits
 * meanwhile: count, sample, hand over; don't block.
 */
#ifndef WEIR_TELEMETRY_H
#define WEIR_TELEMETRY_H

#include <weir/pipeline.h>

#ifdef __cplusplus
extern "C" {
#endif

enum weir_telemetry_kind {
    WEIR_TELEMETRY_TOPOLOGY = 0, /* the run; exception: its exit code isn't 0 */
    WEIR_TELEMETRY_PRODUCER,     /* a connection; exception: it was lost, or
                                    could not be made (then without a start) */
    WEIR_TELEMETRY_PROCESSOR,    /* what a worker took at once */
    WEIR_TELEMETRY_MESSAGE,      /* handle_message(); exception: neither
                                    WEIR_OK nor WEIR_DONE */
    WEIR_TELEMETRY_BATCHER,      /* a batch, from opened to closed */
    WEIR_TELEMETRY_BATCH,        /* a batch, from handed to its sink to the last
                                    outcome; exception: the destination was down,
                                    it comes again */
    WEIR_TELEMETRY_FAILED, /* messages that finally failed: handle_failed()
                              and the failure policy */
    /* must stay last */
    WEIR_TELEMETRY_COUNT
};

enum weir_telemetry_phase {
    WEIR_TELEMETRY_START = 0,
    WEIR_TELEMETRY_STOP,
    WEIR_TELEMETRY_EXCEPTION
};

/* Valid during the call; new members come at the end. */
struct weir_telemetry_event {
    enum weir_telemetry_kind kind;
    enum weir_telemetry_phase phase;
    const char *pipeline;
    const char *batcher;                /* of a batcher or a sink, or NULL */
    unsigned worker;                    /* which instance, from 0 */
    uint32_t count;                     /* messages; 0: it has none */
    const struct weir_message *message; /* MESSAGE; as in its callback */
    int64_t now_us;                     /* of the monotonic clock */
    int64_t duration_us;                /* 0 with a start */
    const char *reason;                 /* of an exception; may be "" */
};

typedef void (*weir_telemetry_fn)(void *opaque,
                                  const struct weir_telemetry_event *event);

#define WEIR_TELEMETRY_BIT(kind) (1U << (kind))
#define WEIR_TELEMETRY_ALL       (WEIR_TELEMETRY_BIT(WEIR_TELEMETRY_COUNT) - 1U)

/* From several threads at once, events of `kinds`, a sum of bits.  Before
 * weir_pipeline_run(); the last call counts; `fn` NULL: none. */
WEIR_EXPORT
void weir_telemetry_attach(struct weir_pipeline *pipeline, unsigned kinds,
                           weir_telemetry_fn fn, void *opaque);

#ifdef __cplusplus
}
#endif

#endif
