/*
 * pulse.c - notes that the threads of a run go on, and whether messages do.
 *
 *     supervisor --describe yourself?--> batchers      once a second
 *                <-------- answers -----
 *                --looks at the rounds of--> producers
 *     all are fine: pulse_us = now
 *
 * A batcher never calls foreign code, so it answers at once, or never.  A
 * producer may wait in its client, but no longer than that one's timeouts.
 * Handlers and sinks take as long as they take: a slow one is no reason to
 * restart a process.  And if the supervisor stands, so does the pulse.
 *
 * Work is what is in flight, and what waits at the broker as far as it says so.
 * Moved has what was received or has ended.
 *
 * Threads: the one that runs the pipeline; others read `pulse_us`, `moved_us`.
 */
#include "assembly.h"

#include "clock.h"

enum { ASK_US = 1000 * 1000, ROUND_US = 120 * 1000 * 1000 };

static bool is_over(const _Atomic bool *flag)
{
    return atomic_load_explicit(flag, memory_order_acquire);
}

static bool producers_go_on(const struct pipeline *pipeline, int64_t now)
{
    for (unsigned i = 0; i < pipeline->producers_up; i++) {
        const struct producer *producer = &pipeline->producers[i];
        const int64_t round_us =
            atomic_load_explicit(&producer->round_us, memory_order_relaxed);

        if (!is_over(&producer->is_over) && now - round_us > ROUND_US)
            return false;
    }
    return true;
}

static bool batchers_answer(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->batchers_up; i++) {
        struct batcher *batcher = &pipeline->batchers[i];

        if (!is_over(&batcher->is_over) &&
            !control_is_answered(&batcher->controls, CONTROL_DESCRIBE, NULL))
            return false;
    }
    return true;
}

static void beat(struct pipeline *pipeline, int64_t now)
{
    if (now - pipeline->pulse_asked_us < ASK_US ||
        !producers_go_on(pipeline, now))
        return;
    if (pipeline->pulse_asked_us > 0 && !batchers_answer(pipeline))
        return;
    atomic_store_explicit(&pipeline->pulse_us, now, memory_order_relaxed);
    pipeline->pulse_asked_us = now;
    for (unsigned i = 0; i < pipeline->batchers_up; i++)
        control_ask(&pipeline->batchers[i].controls, CONTROL_DESCRIBE, 0);
}

static void look_for_movement(struct pipeline *pipeline, int64_t now)
{
    struct pipeline_stats stats;
    uint64_t moved;

    pipeline_stats(pipeline, &stats);
    moved = stats.received + stats.done + stats.rejected + stats.abandoned;
    if (moved == pipeline->moved && (stats.in_flight > 0 || stats.lag > 0) &&
        !pipeline_is_paused(pipeline) && !stats.is_flooded)
        return;
    pipeline->moved = moved;
    atomic_store_explicit(&pipeline->moved_us, now, memory_order_relaxed);
}

void pulse(struct pipeline *pipeline, int64_t now)
{
    beat(pipeline, now);
    look_for_movement(pipeline, now);
}
