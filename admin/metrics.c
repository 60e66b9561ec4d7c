/*
 * metrics.c - /metrics: what a run counts, for Prometheus.
 *
 * Each counter is a row of a table.  Names follow the conventions of the field:
 * base units, `_total` on what only rises, no label whose values others choose
 * without a bound.
 *
 * Threads: the admin's.
 */
#include <string.h>

#include "api.h"
#include "exposition.h"
#include "health.h"
#include "metrics_timing.h"

/* A member of struct pipeline_stats; rows of one name follow each other, and
 * differ by their label. */
struct counter {
    const char *name;
    const char *label, *value; /* or NULL */
    size_t offset;
    const char *help; /* of the first row of a name */
};

#define COUNTER(name, member, help)                                            \
    {                                                                          \
        "weir_" name "_total", NULL, NULL,                                     \
            offsetof(struct pipeline_stats, member), help                      \
    }
#define LABELLED(name, label, value, member, help)                             \
    {                                                                          \
        "weir_" name "_total", label, value,                                   \
            offsetof(struct pipeline_stats, member), help                      \
    }
#define REJECTION(value, member)                                               \
    LABELLED("rejections", "reason", value, member,                            \
             "Messages that failed for good, by reason.")
#define CLOSED(value, member)                                                  \
    LABELLED("batches_closed", "closed_by", value, member,                     \
             "Batches that were closed, by what closed them.")

static const struct counter counters[] = {
    COUNTER(
        "messages_received", received,
        "Deliveries that were taken in; a message may come more than once."),
    COUNTER("messages_done", done, "Messages that were finished."),
    COUNTER("messages_rejected", rejected,
            "Messages that failed for good and were settled."),
    COUNTER("messages_abandoned", abandoned,
            "Messages that were left to the broker, to be delivered again."),
    REJECTION("handler", rejected_by_handler),
    REJECTION("retries", rejected_retries),
    REJECTION("size", rejected_size),
    REJECTION("batcher", rejected_batcher),
    REJECTION("sink", rejected_sink),
    REJECTION("nonsense", rejected_nonsense),
    REJECTION("crashes", rejected_crashes),
    COUNTER("retries", retries, "Messages that were to be tried again."),
    COUNTER("sink_retries", sink_retries,
            "Writes, or attempts to connect, that a destination did not take."),
    COUNTER("reconnects", reconnects, "Connections that were made anew."),
    COUNTER("restarts", restarts,
            "Instances of stages that failed for good and were replaced."),
    COUNTER("fenced", fenced,
            "Messages that came back after their partition or channel was "
            "gone."),
    COUNTER("dead_letters", dead_letters,
            "Dead letters that their destination confirmed."),
    COUNTER("dead_letter_errors", dead_letter_errors,
            "Dead letters that their destination did not take at once."),
    COUNTER("flood_stops", flood_stops,
            "Times that the source was stopped because too many failed."),
    COUNTER("callback_errors", callback_errors,
            "Callbacks of the handler that failed, or wished what can't be."),
    COUNTER("handler_stuck", handler_stuck,
            "Callbacks that ran longer than processors.timeout."),
    COUNTER("failed_after_settle", failed_after_settle,
            "Messages that failed after they had been settled early."),
    COUNTER("refused_settlements", refused_settlements,
            "Second settlements of a message, which were refused."),
    COUNTER("gap_messages", gaps, "Messages that the broker no longer had."),
    COUNTER("last_deliveries", last_deliveries,
            "Deliveries that the broker would not have repeated."),
    CLOSED("size", closed_size),
    CLOSED("bytes", closed_bytes),
    CLOSED("timeout", closed_timeout),
    CLOSED("flush", closed_flush),
    CLOSED("drain", closed_drain),
    CLOSED("starved", closed_starved),
    CLOSED("revoke", closed_revoke),
    CLOSED("keys", closed_keys),
    {NULL, NULL, NULL, 0, NULL},
};

#undef COUNTER
#undef LABELLED
#undef REJECTION
#undef CLOSED

static void write_counters(const struct exposition *exposition,
                           const struct pipeline_stats *stats)
{
    const char *before = "";

    for (const struct counter *row = counters; row->name; row++) {
        uint64_t value;

        memcpy(&value, (const char *)stats + row->offset, sizeof value);
        if (strcmp(before, row->name) != 0)
            exposition_family(exposition, row->name, "counter", row->help);
        exposition_sample(exposition, row->name, row->label, row->value,
                          (double)value);
        before = row->name;
    }
}

static void gauge(const struct exposition *exposition, const char *name,
                  double value, const char *help)
{
    exposition_family(exposition, name, "gauge", help);
    exposition_sample(exposition, name, NULL, NULL, value);
}

static void write_gauges(const struct exposition *exposition,
                         const struct pipeline_stats *stats)
{
    gauge(exposition, "weir_messages_in_flight", (double)stats->in_flight,
          "Messages that were taken in and have not ended.");
    if (stats->lag >= 0)
        gauge(exposition, "weir_source_lag_messages", (double)stats->lag,
              "Messages that wait at the broker; absent while it is unknown.");
    gauge(exposition, "weir_connected", stats->is_connected,
          "1: every source and every destination is connected.");
    gauge(exposition, "weir_flooded", stats->is_flooded,
          "1: the source is stopped, because too many messages fail.");
    gauge(exposition, "weir_draining", stats->is_draining,
          "1: it was asked to stop, and drains.");
}

static void write_health(const struct exposition *exposition,
                         struct pipeline *pipeline)
{
    struct topology_rate_limit limit;
    struct pipeline_health health;

    pipeline_health(pipeline, &health);
    pipeline_rate(pipeline, &limit);
    gauge(exposition, "weir_live", health.is_live,
          "1: the runtime's own threads make progress.");
    gauge(exposition, "weir_ready", health.is_ready,
          "1: nothing is in the way of messages; /readyz says what is.");
    gauge(exposition, "weir_paused", pipeline_is_paused(pipeline),
          "1: it was asked to pause.");
    if (limit.messages > 0)
        gauge(exposition, "weir_rate_limit_messages_per_second",
              (double)limit.messages * 1e6 / (double)limit.interval_us,
              "What may be taken in; absent without a limit.");
    if (limit.bytes > 0)
        gauge(exposition, "weir_rate_limit_bytes_per_second",
              (double)limit.bytes * 1e6 / (double)limit.interval_us,
              "What may be taken in; absent without a limit.");
}

static void write_all(const struct exposition *exposition,
                      struct pipeline *pipeline)
{
    struct pipeline_stats stats;

    pipeline_stats(pipeline, &stats);
    exposition_family(exposition, "weir_build_info", "gauge",
                      "1, with the version that runs.");
    exposition_sample(exposition, "weir_build_info", "version", WEIR_VERSION,
                      1);
    write_counters(exposition, &stats);
    write_gauges(exposition, &stats);
    write_health(exposition, pipeline);
    metrics_timing(exposition, pipeline);
}

void page_metrics(const struct site *site, const struct request *request,
                  struct answer *answer)
{
    struct exposition exposition = {
        .out = open_memstream(&answer->body, &answer->size),
        .pipeline = site->config->topology->name};
    bool is_whole;

    (void)request;
    if (!exposition.out)
        return;
    write_all(&exposition, site->config->pipeline);
    is_whole = ferror(exposition.out) == 0;
    answer->type = EXPOSITION_TYPE;
    answer->status = fclose(exposition.out) == 0 && is_whole ? 200 : 0;
}
