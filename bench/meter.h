/*
 * meter.h - what one thread that handles messages measures; the same code in
 * the bare loops and in the handler that weir runs.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct meter {
    uint64_t count;        /* messages handled */
    uint64_t sum;          /* of their bytes: so that none is skipped */
    int64_t first_ns;      /* monotonic time at the first */
    int64_t last_ns;       /* ... and at the last that was noted */
    uint64_t counted_last; /* messages handled by then */
    bool has_latency;      /* payloads begin with the time they were made */
    int64_t first_made_ns;
    uint32_t *latency_us;
    size_t latency_count, latency_room;
};

int64_t meter_now_ns(void);

/* Reads every byte.  Notes the time at the first message and at every 64th,
 * or at each where latencies are asked for. */
void meter_handle(struct meter *meter, const void *data, size_t size);

/* Appends one line to `path`, and frees what meter_handle() allocated. */
void meter_finish(struct meter *meter, const char *path);

#endif
