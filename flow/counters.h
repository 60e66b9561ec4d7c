/*
 * counters.h - what a run counts beside its ledger.
 */
#ifndef WEIR_FLOW_COUNTERS_H
#define WEIR_FLOW_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

/* Why a batch was closed; each is counted. */
enum close_reason {
    CLOSED_SIZE = 0,
    CLOSED_BYTES,
    CLOSED_TIMEOUT,
    CLOSED_FLUSH,
    CLOSED_DRAIN,
    CLOSED_STARVED, /* its sources can't give more before it is delivered */
    CLOSED_REVOKE,  /* its partition is taken away */
    CLOSED_KEYS,    /* too many keys, it was the oldest */
    /* must stay last */
    CLOSED_COUNT
};

/* Why a message was rejected; each is counted. */
enum reject_reason {
    REJECTED_HANDLER = 0,
    REJECTED_RETRIES,
    REJECTED_SIZE,
    REJECTED_BATCHER,
    REJECTED_SINK,
    REJECTED_NONSENSE, /* a callback returned what is no answer */
    REJECTED_CRASHES,  /* it took the process down, alone */
    /* must stay last */
    REJECTED_COUNT
};

struct counters {
    _Atomic uint64_t retries, sink_retries, reconnects, restarts, fenced;
    _Atomic uint64_t rejected[REJECTED_COUNT];
    _Atomic uint64_t closed[CLOSED_COUNT];
    _Atomic uint64_t callback_errors, handler_stuck, failed_after_settle;
    _Atomic uint64_t refused_settlements, gaps;
    _Atomic uint64_t dead_letters, dead_letter_errors;
    _Atomic uint64_t judged, failed; /* handled, or failed there; failed there
                                        or later */
    _Atomic uint64_t flood_stops;
    _Atomic uint64_t last_deliveries; /* the broker would drop the next one */
};

static inline void counter_add(_Atomic uint64_t *counter, uint64_t count)
{
    atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

static inline uint64_t counter_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
