/*
 * telemetry.c - <weir/telemetry.h> inside the runtime.
 *
 * Threads: whoever does the work that is told of; what is called was set before
 * they started.
 */
#include "telemetry.h"

void telemetry_emit(const struct run *run, struct weir_telemetry_event *event)
{
    event->pipeline = run->name;
    run->telemetry(run->telemetry_opaque, event);
}

int64_t telemetry_start(const struct run *run,
                        const struct weir_telemetry_event *event)
{
    struct weir_telemetry_event start = *event;

    if (!telemetry_wants(run, event->kind))
        return 0;
    start.phase = WEIR_TELEMETRY_START;
    start.now_us = clock_now_us();
    telemetry_emit(run, &start);
    return start.now_us;
}

void telemetry_stop(const struct run *run,
                    const struct weir_telemetry_event *event, int64_t since_us,
                    const char *reason)
{
    struct weir_telemetry_event stop = *event;

    if (since_us == 0 || !telemetry_wants(run, event->kind))
        return;
    stop.phase = reason ? WEIR_TELEMETRY_EXCEPTION : WEIR_TELEMETRY_STOP;
    stop.now_us = clock_now_us();
    stop.duration_us = stop.now_us - since_us;
    stop.reason = reason;
    telemetry_emit(run, &stop);
}
