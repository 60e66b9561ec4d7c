/*
 * health.c - whether a pipeline lives, and whether it does its work.
 *
 * Every reason is looked up when somebody asks: there is no state that could be
 * out of date, and what is wrong is said in the words of whoever met it.
 *
 * How long nothing may move: `admin.stalled_after`, and on top of it what
 * messages wait for on purpose, so that a batch that fills for an hour is no
 * alarm.
 *
 * Threads: any; reads what stages publish.
 */
#include "health.h"

#include <stdarg.h>
#include <stdio.h>

#include "assembly.h"
#include "clock.h"
#include "inspect.h"

enum { PULSE_US = 10 * 1000 * 1000 };

const char *const health_codes[HEALTH_CODE_COUNT] = {
    [HEALTH_STARTING] = "starting", [HEALTH_SOURCE] = "source",
    [HEALTH_SINK] = "sink",         [HEALTH_FLOOD] = "flood",
    [HEALTH_PAUSED] = "paused",     [HEALTH_DRAINING] = "draining",
    [HEALTH_STALLED] = "stalled",   [HEALTH_STUCK] = "stuck"};

WEIR_PRINTF(3, 4)
static void add(struct pipeline_health *health, enum health_code code,
                const char *fmt, ...)
{
    struct health_reason *reason;
    va_list args;

    health->is_ready = false;
    if (health->count == HEALTH_REASON_MAX)
        return;
    reason = &health->reasons[health->count++];
    reason->code = health_codes[code];
    va_start(args, fmt);
    (void)vsnprintf(reason->text, sizeof reason->text, fmt, args);
    va_end(args);
}

static double seconds(int64_t span_us)
{
    return (double)span_us / (double)CLOCK_SECOND_US;
}

static bool is_set(const _Atomic bool *flag)
{
    return atomic_load_explicit(flag, memory_order_relaxed);
}

static void look_at_pulse(struct pipeline *pipeline,
                          struct pipeline_health *health, int64_t now)
{
    const int64_t pulse_us =
        atomic_load_explicit(&pipeline->pulse_us, memory_order_relaxed);

    health->is_live = pulse_us == 0 || now - pulse_us < PULSE_US;
    if (!health->is_live)
        add(health, HEALTH_STUCK,
            "a thread of the runtime has not answered for %.0f s",
            seconds(now - pulse_us));
}

static void look_at_producers(struct pipeline *pipeline,
                              struct pipeline_health *health)
{
    for (unsigned i = 0; i < pipeline->producer_count; i++) {
        struct producer *producer = &pipeline->producers[i];
        const char *impediment = atomic_load_explicit(
            &producer->intake.impediment, memory_order_relaxed);
        char why[INSPECT_TROUBLE_SIZE];

        if (is_set(&producer->is_at_end))
            continue;
        if (is_set(&producer->is_open)) {
            if (impediment)
                add(health, HEALTH_SOURCE, "producer %u: %s", i, impediment);
            continue;
        }
        (void)cause_read(&producer->cause, why, sizeof why);
        add(health, HEALTH_SOURCE, "producer %u is not connected: %s", i,
            why[0] ? why : "nothing answered yet");
    }
}

static void look_at_sinks(struct pipeline *pipeline,
                          struct pipeline_health *health)
{
    for (unsigned i = 0; i < pipeline->sink_count; i++) {
        struct sink *sink = &pipeline->sinks[i];
        char why[INSPECT_TROUBLE_SIZE];

        if (is_set(&sink->is_connected) || is_set(&sink->is_over))
            continue;
        (void)cause_read(&sink->cause, why, sizeof why);
        add(health, HEALTH_SINK, "sink %u of batcher %s is not connected: %s",
            sink->config.worker.index, sink->config.batcher,
            why[0] ? why : "nothing answered yet");
    }
}

/* What messages may wait for on purpose. */
static int64_t patience_us(struct pipeline *pipeline)
{
    const struct tuning *tuning = &pipeline->tuning;
    int64_t longest = 0;

    (void)pthread_mutex_lock(&pipeline->lock);
    for (size_t i = 0; i < tuning->batcher_count; i++) {
        const int64_t timeout =
            tuning->batchers[i].values[TUNING_BATCH_TIMEOUT];

        longest = timeout > longest ? timeout : longest;
    }
    longest +=
        tuning->values[TUNING_BACKOFF_MAX] + tuning->values[TUNING_TIMEOUT];
    (void)pthread_mutex_unlock(&pipeline->lock);
    return longest;
}

static void look_at_movement(struct pipeline *pipeline,
                             struct pipeline_health *health, int64_t now)
{
    const int64_t moved_us =
        atomic_load_explicit(&pipeline->moved_us, memory_order_relaxed);
    const int64_t limit_us = pipeline_tuned(pipeline, TUNING_STALLED);

    if (moved_us == 0 || limit_us == 0 ||
        now - moved_us < limit_us + patience_us(pipeline))
        return;
    add(health, HEALTH_STALLED,
        "there is work, and nothing moved for %.0f s: no message was taken in "
        "and none has ended",
        seconds(now - moved_us));
}

void pipeline_health(struct pipeline *pipeline,
                     struct pipeline_health *ret_health)
{
    struct pipeline_health health = {.is_ready = true};
    const int64_t now = clock_now_us();

    look_at_pulse(pipeline, &health, now);
    if (!is_set(&pipeline->run.is_started))
        add(&health, HEALTH_STARTING, "the handler is being started");
    if (run_is_draining(&pipeline->run) || is_set(&pipeline->is_drain_asked))
        add(&health, HEALTH_DRAINING, "it was asked to stop, and drains");
    if (pipeline_is_paused(pipeline))
        add(&health, HEALTH_PAUSED, "it was asked to pause");
    if (is_set(&pipeline->run.flood.is_stopped))
        add(&health, HEALTH_FLOOD,
            "more than %u %% of messages failed: the source is stopped",
            pipeline->topology->failure.stop_percent);
    look_at_producers(pipeline, &health);
    look_at_sinks(pipeline, &health);
    look_at_movement(pipeline, &health, now);
    *ret_health = health;
}
