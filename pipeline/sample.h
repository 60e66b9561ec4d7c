/*
 * sample.h - a sample of the messages that end, or are tried again: for people.
 */
#ifndef WEIR_PIPELINE_SAMPLE_H
#define WEIR_PIPELINE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline.h"

enum { SAMPLE_MAX = 256, SAMPLE_RATE_MAX = 1000 };

struct sample_wish {
    unsigned outcomes; /* sum of sample_outcome() */
    uint32_t rate;     /* messages a second, 1 to SAMPLE_RATE_MAX */
    bool has_payload;  /* keys and payloads, too */
};

/* `data` has `kept` of all `size` bytes; NULL: absent, or not asked for. */
struct sample_bytes {
    const char *data;
    size_t size, kept;
};

struct sampled {
    int64_t wall_ms;
    const char *name;  /* of its source */
    int32_t partition; /* -1: none */
    int64_t position;  /* offset, or delivery tag */
    const char *outcome;
    const char *code;    /* as in the header `weir-code` of a dead letter; NULL:
                            it did not fail for good */
    const char *batcher; /* where it was then; NULL: the processors */
    const char *reason;  /* "": none */
    uint32_t attempts, deliveries; /* of the handler, and to the sink */
    int64_t latency_us;            /* since it was taken in */
    uint64_t size;                 /* of the payload as received */
    struct sample_bytes key, payload;
};

/* The bit of "done", "retried", "rejected", "dead_lettered", "requeued" or
 * "abandoned", of which `name` has the first `size` bytes; 0: it is none. */
unsigned sample_outcome(const char *name, size_t size);
unsigned sample_all_outcomes(void);

/*
 * One thread asks, all the time: who doesn't for ten seconds gets no more.
 * ask() goes on with `id` where that is there and was made for the same wish,
 * else begins, and says as what.  WEIR_AGAIN: so many sample already that there
 * is no place; WEIR_RETRY: no memory.
 */
WEIR_MUST_USE
enum weir_status pipeline_sample_ask(struct pipeline *pipeline, uint64_t id,
                                     const struct sample_wish *wish,
                                     uint64_t *ret_id);

/* What came since the last time, the oldest first, and how many more there
 * were; returns how many it wrote.  What they point to is valid until the next
 * call of either. */
size_t pipeline_sample_take(struct pipeline *pipeline, uint64_t id,
                            struct sampled out[SAMPLE_MAX],
                            uint64_t *ret_left_out);

#endif
