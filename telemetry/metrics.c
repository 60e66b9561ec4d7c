/*
 * metrics.c - what a run measures, told in one form or another.
 *
 *     counters, gauges, health         here and metrics_counters.c
 *     sources, mailboxes, stages       metrics_inspection.c
 *     waiting and working time         metrics_timing.c
 *     the topology file                metrics_reload.c
 *     the process                      metrics_process.c
 *
 * Threads: any; it reads what the run publishes, and stops nobody.
 */
#include "metrics.h"

#include <string.h>

#include "health.h"
#include "teller.h"
#include "traces.h"

static struct metric_labels all_labels(const struct teller *teller,
                                       const struct metric_label *labels)
{
    struct metric_labels all = {{{"pipeline", teller->pipeline}}};
    unsigned at = 1;

    for (; labels && labels->name && at < METRIC_LABELS; labels++) {
        if (labels->value)
            all.list[at++] = *labels;
    }
    return all;
}

void teller_number(const struct teller *teller, const struct metric *metric,
                   const struct metric_label *labels, double value)
{
    const struct metric_labels all = all_labels(teller, labels);

    teller->form->number(teller->form->self, metric, &all, value);
}

void teller_histogram(const struct teller *teller, const struct metric *metric,
                      const struct metric_label *labels,
                      const struct histogram_view *view)
{
    const struct metric_labels all = all_labels(teller, labels);

    teller->form->histogram(teller->form->self, metric, &all, view);
}

void teller_gauge(const struct teller *teller, const char *name, double value,
                  const char *help)
{
    teller_number(teller, &(struct metric){name, METRIC_GAUGE, help}, NULL,
                  value);
}

static void tell_gauges(const struct teller *teller,
                        const struct pipeline_stats *stats)
{
    teller_gauge(teller, "weir_messages_in_flight", (double)stats->in_flight,
                 "Messages that were taken in and have not ended.");
    if (stats->lag >= 0)
        teller_gauge(
            teller, "weir_source_lag_messages", (double)stats->lag,
            "Messages that wait at the broker; absent while it is unknown.");
    teller_gauge(teller, "weir_connected", stats->is_connected,
                 "1: every source and every destination is connected.");
    teller_gauge(teller, "weir_flooded", stats->is_flooded,
                 "1: the source is stopped, because too many messages fail.");
    teller_gauge(teller, "weir_draining", stats->is_draining,
                 "1: it was asked to stop, and drains.");
}

/* Each code has its series, so that one that comes is a change of a value. */
static void tell_reasons(const struct teller *teller,
                         const struct pipeline_health *health)
{
    static const struct metric metric = {
        "weir_not_ready", METRIC_GAUGE,
        "1: this is in the way of messages, by reason."};

    for (unsigned code = 0; code < HEALTH_CODE_COUNT; code++) {
        const struct metric_label labels[] = {{"reason", health_codes[code]},
                                              {NULL, NULL}};
        bool is_said = false;

        for (unsigned i = 0; i < health->count; i++)
            is_said |= strcmp(health->reasons[i].code, health_codes[code]) == 0;
        teller_number(teller, &metric, labels, is_said);
    }
}

static void tell_health(const struct teller *teller, struct pipeline *pipeline)
{
    struct topology_rate_limit limit;
    struct pipeline_health health;

    pipeline_health(pipeline, &health);
    pipeline_rate(pipeline, &limit);
    teller_gauge(teller, "weir_live", health.is_live,
                 "1: the runtime's own threads make progress.");
    teller_gauge(teller, "weir_ready", health.is_ready,
                 "1: nothing is in the way of messages; /readyz says what is.");
    tell_reasons(teller, &health);
    teller_gauge(teller, "weir_paused", pipeline_is_paused(pipeline),
                 "1: it was asked to pause.");
    if (limit.messages > 0)
        teller_gauge(teller, "weir_rate_limit_messages_per_second",
                     (double)limit.messages * 1e6 / (double)limit.interval_us,
                     "What may be taken in; absent without a limit.");
    if (limit.bytes > 0)
        teller_gauge(teller, "weir_rate_limit_bytes_per_second",
                     (double)limit.bytes * 1e6 / (double)limit.interval_us,
                     "What may be taken in; absent without a limit.");
}

static void tell_traces(const struct teller *teller, struct traces *traces)
{
    static const char *const reasons[TRACES_DROP_COUNT] = {
        [TRACES_DROP_FULL] = "full",
        [TRACES_DROP_REFUSED] = "refused",
        [TRACES_DROP_END] = "end"};
    static const struct metric exported = {"weir_spans_exported_total",
                                           METRIC_COUNTER,
                                           "Spans that the collector took."};
    static const struct metric dropped = {
        "weir_spans_dropped_total", METRIC_COUNTER,
        "Spans that it did not: too many waited, it refused them, or the run "
        "was over."};
    struct traces_counts counts;

    traces_count(traces, &counts);
    teller_number(teller, &exported, NULL, (double)counts.exported);
    for (unsigned i = 0; i < TRACES_DROP_COUNT; i++) {
        const struct metric_label labels[] = {{"reason", reasons[i]},
                                              {NULL, NULL}};

        teller_number(teller, &dropped, labels, (double)counts.dropped[i]);
    }
}

enum weir_status metrics_tell(const struct metrics_source *source,
                              const struct metrics_form *form)
{
    const struct teller teller = {.form = form,
                                  .pipeline = source->topology->name};
    static const struct metric build = {"weir_build_info", METRIC_GAUGE,
                                        "1, with the version that runs."};
    const struct metric_label version[] = {{"version", WEIR_VERSION},
                                           {NULL, NULL}};
    struct inspection *inspection = NULL;
    enum weir_status status = pipeline_inspect(source->pipeline, &inspection);

    if (status != WEIR_OK)
        return status;
    teller_number(&teller, &build, version, 1);
    metrics_counters(&teller, &inspection->stats);
    tell_gauges(&teller, &inspection->stats);
    tell_health(&teller, source->pipeline);
    teller_gauge(
        &teller, "weir_memory_limit_bytes", (double)source->topology->memory,
        "What `memory` says: messages in flight and the clients' buffers.");
    metrics_inspection(&teller, inspection);
    inspection_destroy(inspection);
    metrics_reload(&teller, source->pipeline);
    status = metrics_timing(&teller, source->pipeline);
    if (source->traces)
        tell_traces(&teller, source->traces);
    metrics_process(&teller);
    return status;
}
