/*
 * where.h - in which stage a message is, and since when.
 *
 * One word per message, written by whoever has it when it goes a step on, read
 * by its producer, which shows where the oldest one is (survey.c).  The time is
 * the run's own, of ten times a second, so that a step costs one store.
 */
#ifndef WEIR_FLOW_WHERE_H
#define WEIR_FLOW_WHERE_H

#include <stdint.h>

enum where {
    WHERE_QUEUE = 0,  /* waits for a worker */
    WHERE_HANDLER,    /* given to the handler; goes on with its hand */
    WHERE_RETRY,      /* waits for its time, to be handled again */
    WHERE_REQUEUE,    /* waits for its time, to be given back */
    WHERE_BATCHER,    /* on its way into a batch, in an open or a closed one */
    WHERE_LETTERS,    /* likewise, of the batcher `dead_letter` */
    WHERE_SINK,       /* a sink worker has it */
    WHERE_SINK_RETRY, /* waits for its time, to be delivered again */
    WHERE_GHOST,      /* settled early: nobody waits for it */
    WHERE_MOVED,      /* it lives on in a copy */
    /* must stay last */
    WHERE_COUNT
};

/* Of a batcher and attempts more than fit, the largest that does; there are no
 * more than 1024 workers of a stage. */
struct whereabouts {
    enum where where;
    uint32_t attempt; /* the handler's, or of the delivery */
    uint32_t worker;  /* HANDLER, RETRY, SINK, SINK_RETRY: which one */
    uint32_t batcher; /* BATCHER, SINK, SINK_RETRY: which one */
    uint32_t since_ms;
};

static inline uint64_t where_limited(uint32_t value, uint32_t most)
{
    return value < most ? value : most;
}

/* since 0..31, where 32..35, attempt 36..43, worker 44..55, batcher 56..63 */
static inline uint64_t where_pack(const struct whereabouts *at)
{
    return at->since_ms | (uint64_t)at->where << 32 |
           where_limited(at->attempt, 255) << 36 |
           (uint64_t)(at->worker & 4095) << 44 |
           where_limited(at->batcher, 255) << 56;
}

static inline struct whereabouts where_unpack(uint64_t word)
{
    return (struct whereabouts){.since_ms = (uint32_t)word,
                                .where = (enum where)(word >> 32 & 15),
                                .attempt = (uint32_t)(word >> 36 & 255),
                                .worker = (uint32_t)(word >> 44 & 4095),
                                .batcher = (uint32_t)(word >> 56)};
}

#endif
