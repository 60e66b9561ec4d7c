/*
 * stats.c - a run in numbers, for people and reports.
 *
 * Threads: any; it reads counters and what producers have published.
 */
#include "assembly.h"

static void copy_counters(const struct counters *from,
                          struct pipeline_stats *stats)
{
    stats->retries = counter_get(&from->retries);
    stats->sink_retries = counter_get(&from->sink_retries);
    stats->reconnects = counter_get(&from->reconnects);
    stats->restarts = counter_get(&from->restarts);
    stats->fenced = counter_get(&from->fenced);
    stats->rejected_by_handler = counter_get(&from->rejected[REJECTED_HANDLER]);
    stats->rejected_retries = counter_get(&from->rejected[REJECTED_RETRIES]);
    stats->rejected_size = counter_get(&from->rejected[REJECTED_SIZE]);
    stats->rejected_batcher = counter_get(&from->rejected[REJECTED_BATCHER]);
    stats->rejected_sink = counter_get(&from->rejected[REJECTED_SINK]);
    stats->rejected_nonsense = counter_get(&from->rejected[REJECTED_NONSENSE]);
    stats->rejected_crashes = counter_get(&from->rejected[REJECTED_CRASHES]);
    stats->dead_letters = counter_get(&from->dead_letters);
    stats->dead_letter_errors = counter_get(&from->dead_letter_errors);
    stats->flood_stops = counter_get(&from->flood_stops);
    stats->callback_errors = counter_get(&from->callback_errors);
    stats->handler_stuck = counter_get(&from->handler_stuck);
    stats->failed_after_settle = counter_get(&from->failed_after_settle);
    stats->refused_settlements = counter_get(&from->refused_settlements);
    stats->gaps = counter_get(&from->gaps);
    stats->last_deliveries = counter_get(&from->last_deliveries);
    stats->closed_size = counter_get(&from->closed[CLOSED_SIZE]);
    stats->closed_bytes = counter_get(&from->closed[CLOSED_BYTES]);
    stats->closed_timeout = counter_get(&from->closed[CLOSED_TIMEOUT]);
    stats->closed_flush = counter_get(&from->closed[CLOSED_FLUSH]);
    stats->closed_drain = counter_get(&from->closed[CLOSED_DRAIN]);
    stats->closed_starved = counter_get(&from->closed[CLOSED_STARVED]);
    stats->closed_revoke = counter_get(&from->closed[CLOSED_REVOKE]);
    stats->closed_keys = counter_get(&from->closed[CLOSED_KEYS]);
    for (unsigned i = 0; i < CLOSED_COUNT; i++)
        stats->batches += counter_get(&from->closed[i]);
}

/* One that is at its end has been closed, and misses nothing. */
static bool is_connected(const struct pipeline *pipeline)
{
    bool is_all = true;

    for (unsigned i = 0; i < pipeline->producer_count; i++)
        is_all &= atomic_load_explicit(&pipeline->producers[i].is_open,
                                       memory_order_relaxed) ||
                  atomic_load_explicit(&pipeline->producers[i].is_at_end,
                                       memory_order_relaxed);
    for (unsigned i = 0; i < pipeline->sink_count; i++)
        is_all &= atomic_load_explicit(&pipeline->sinks[i].is_connected,
                                       memory_order_relaxed);
    return is_all;
}

void pipeline_stats(const struct pipeline *pipeline,
                    struct pipeline_stats *ret_stats)
{
    struct weir_ledger ledger;
    struct pipeline_stats stats = {.lag = -1};

    pipeline_ledger(pipeline, &ledger);
    stats.received = ledger.received;
    stats.done = ledger.done;
    stats.rejected = ledger.rejected;
    stats.abandoned = ledger.abandoned;
    stats.in_flight = ledger.in_flight;
    if (pipeline->is_stuck) { /* what stuck hands have is left to the broker */
        stats.abandoned += ledger.in_flight;
        stats.in_flight = 0;
    }
    for (unsigned i = 0; i < pipeline->producer_count; i++) {
        const struct weir_intake *intake = &pipeline->producers[i].intake;

        if (atomic_load_explicit(&intake->has_lag, memory_order_relaxed))
            stats.lag =
                (stats.lag > 0 ? stats.lag : 0) +
                atomic_load_explicit(&intake->lag, memory_order_relaxed);
    }
    copy_counters(&pipeline->run.counters, &stats);
    stats.is_connected = is_connected(pipeline);
    stats.is_flooded = atomic_load_explicit(&pipeline->run.flood.is_stopped,
                                            memory_order_relaxed);
    stats.is_draining = run_is_draining(&pipeline->run);
    *ret_stats = stats;
}
