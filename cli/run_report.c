/*
 * run_report.c - how a run ended, for people and for programs.
 *
 * The five numbers of the ledger are at the top level of the JSON object, all
 * other counters, by their names in pipeline/pipeline.h, under `counters`.
 *
 * Threads: none.
 */
#include "run_report.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <jansson.h>

#include "clock.h"
#include "figure.h"
#include "log.h"

struct counter {
    const char *name;
    size_t offset;
};

#define COUNTER(member)                                                        \
    {                                                                          \
#member, offsetof(struct pipeline_stats, member)                       \
    }

static const struct counter ledger[] = {
    COUNTER(received),  COUNTER(done),      COUNTER(rejected),
    COUNTER(abandoned), COUNTER(in_flight), {NULL, 0},
};

static const struct counter counters[] = {
    COUNTER(retries),
    COUNTER(sink_retries),
    COUNTER(reconnects),
    COUNTER(restarts),
    COUNTER(fenced),
    COUNTER(rejected_by_handler),
    COUNTER(rejected_retries),
    COUNTER(rejected_size),
    COUNTER(rejected_batcher),
    COUNTER(rejected_sink),
    COUNTER(rejected_nonsense),
    COUNTER(rejected_crashes),
    COUNTER(dead_letters),
    COUNTER(dead_letter_errors),
    COUNTER(flood_stops),
    COUNTER(callback_errors),
    COUNTER(handler_stuck),
    COUNTER(failed_after_settle),
    COUNTER(refused_settlements),
    COUNTER(gaps),
    COUNTER(last_deliveries),
    COUNTER(batches),
    COUNTER(closed_size),
    COUNTER(closed_bytes),
    COUNTER(closed_timeout),
    COUNTER(closed_flush),
    COUNTER(closed_drain),
    COUNTER(closed_starved),
    COUNTER(closed_revoke),
    COUNTER(closed_keys),
    {NULL, 0},
};

#undef COUNTER

static int add_counters(json_t *object, const struct counter *table,
                        const struct pipeline_stats *stats)
{
    int rc = 0;

    for (const struct counter *counter = table; counter->name; counter++) {
        uint64_t value;

        memcpy(&value, (const char *)stats + counter->offset, sizeof value);
        rc |= json_object_set_new(object, counter->name,
                                  json_integer((json_int_t)value));
    }
    return rc;
}

static json_t *report_json(const struct run_report *report)
{
    json_t *object = json_object();
    json_t *others = json_object();
    int rc = add_counters(object, ledger, &report->stats);

    rc |=
        json_object_set_new(object, "pipeline", json_string(report->pipeline));
    rc |= json_object_set_new(object, "exit", json_integer(report->exit));
    rc |= json_object_set_new(
        object, "duration_seconds",
        json_real((double)report->duration_us / (double)CLOCK_SECOND_US));
    rc |= add_counters(others, counters, &report->stats);
    rc |= json_object_set_new(others, "lag", json_integer(report->stats.lag));
    rc |= json_object_set_new(object, "counters", others);
    if (rc == 0)
        return object;
    json_decref(object);
    return NULL;
}

static void print_sentence(const struct run_report *report, char *out,
                           size_t size)
{
    const struct pipeline_stats *stats = &report->stats;
    struct figure figures[5];

    (void)snprintf(
        out, size,
        "%s: received %s = done %s + rejected %s + abandoned %s + in flight "
        "%s, in %.1f s",
        report->pipeline, figure(&figures[0], stats->received),
        figure(&figures[1], stats->done), figure(&figures[2], stats->rejected),
        figure(&figures[3], stats->abandoned),
        figure(&figures[4], stats->in_flight),
        (double)report->duration_us / (double)CLOCK_SECOND_US);
}

void run_report_print(const struct run_report *report, FILE *out)
{
    const struct pipeline_stats *stats = &report->stats;
    const struct log_field fields[] = {
        {.name = "pipeline", .text = report->pipeline},
        {.name = "received", .number = (int64_t)stats->received},
        {.name = "done", .number = (int64_t)stats->done},
        {.name = "rejected", .number = (int64_t)stats->rejected},
        {.name = "abandoned", .number = (int64_t)stats->abandoned},
        {.name = "in_flight", .number = (int64_t)stats->in_flight},
        {.name = "duration_ms", .number = report->duration_us / 1000},
        {.name = "exit", .number = report->exit},
    };
    const struct log_event event = {.level = WEIR_LOG_INFO,
                                    .fields = fields,
                                    .field_count =
                                        sizeof fields / sizeof *fields};
    char sentence[400];

    print_sentence(report, sentence, sizeof sentence);
    if (log_is_json())
        log_event(&event, "%s", sentence);
    else
        (void)fprintf(out, "%s\n", sentence);
}

enum weir_status run_report_write(const struct run_report *report, FILE *out,
                                  struct weir_error *err)
{
    json_t *object = report_json(report);
    enum weir_status status = WEIR_OK;

    if (!object)
        return weir_fail(err, WEIR_RETRY, "no memory");
    if (json_dumpf(object, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) != 0 ||
        fputc('\n', out) == EOF || fflush(out) != 0)
        status = weir_fail(err, WEIR_RETRY, "%s", strerror(errno));
    json_decref(object);
    return status;
}
