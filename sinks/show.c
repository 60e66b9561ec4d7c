/*
 * show.c - what a sink worker shows to others.
 *
 * Threads: the sink worker's; what it writes is atomic.
 */
#include "show.h"

#include "clock.h"
#include "telemetry.h"
#include "tracer.h"

void show_connected(struct sink *sink, bool is_connected)
{
    const int64_t down_us =
        atomic_load_explicit(&sink->down_us, memory_order_relaxed);

    atomic_store_explicit(&sink->is_connected, is_connected,
                          memory_order_relaxed);
    if (is_connected && down_us != 0)
        atomic_store_explicit(&sink->down_us, 0, memory_order_relaxed);
    else if (!is_connected && down_us == 0)
        atomic_store_explicit(&sink->down_us, clock_now_us(),
                              memory_order_relaxed);
}

void show_taken(const struct sink *sink, const struct weir_batch *batch)
{
    const struct sink_config *config = &sink->config;

    for (uint32_t i = 0; i < batch->count; i++) {
        struct weir_message *msg = batch->messages[i];
        const struct whereabouts at = {.where = WHERE_SINK,
                                       .attempt = msg->deliveries,
                                       .worker = config->worker.index,
                                       .batcher = config->batcher_index};

        if (where_of(msg).where != WHERE_SINK)
            message_goes(config->run, msg, at);
    }
}

static uint32_t retrying(const struct sink *sink)
{
    uint32_t count = (uint32_t)sink->retries.count;

    for (const struct held_lane *lane = sink->lanes; lane; lane = lane->next)
        count += lane->messages.count;
    return count;
}

void show_hand(struct sink *sink)
{
    slot_hold(&sink->runner.slot, sink->in_hand);
    atomic_store_explicit(&sink->retrying, retrying(sink),
                          memory_order_relaxed);
}

void show_holdings(struct sink *sink)
{
    struct holdings holdings = {.retrying = retrying(sink)};

    for (const struct weir_batch *batch = sink->written.head; batch;
         batch = batch->next)
        holdings.begun += batch->count;
    holdings.waiting = sink->in_hand - holdings.begun - holdings.retrying;
    control_answer(&sink->controls, CONTROL_DESCRIBE, &holdings);
}

static struct weir_telemetry_event event_of(const struct sink *sink,
                                            const struct weir_batch *batch)
{
    return (struct weir_telemetry_event){.kind = WEIR_TELEMETRY_BATCH,
                                         .batcher = sink->config.batcher,
                                         .worker = sink->config.worker.index,
                                         .count = batch->count};
}

void show_begun(const struct sink *sink, struct weir_batch *batch)
{
    const struct weir_telemetry_event event = event_of(sink, batch);

    if (batch->told_us == 0)
        batch->told_us = telemetry_start(sink->config.run, &event);
}

void show_over(const struct sink *sink, struct weir_batch *batch,
               const char *why)
{
    const struct weir_telemetry_event event = event_of(sink, batch);

    telemetry_stop(sink->config.run, &event, batch->told_us, why);
    batch->told_us = 0;
    if (batch->begun_us > 0)
        tracer_delivered(&sink->config.run->tracer, batch,
                         sink->config.worker.index, why);
    batch->begun_us = 0;
}
