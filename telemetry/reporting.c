/*
 * reporting.c - tells others of a run, as its topology says: StatsD, spans.
 *
 * Threads: the caller's.
 */
#include "reporting.h"

#include <stdlib.h>

#include "statsd.h"
#include "traces.h"

struct reporting {
    struct metrics_source source;
    struct statsd *statsd; /* or NULL */
};

enum weir_status reporting_start(const struct topology *topology,
                                 struct pipeline *pipeline,
                                 struct reporting **ret_reporting,
                                 struct weir_error *err)
{
    struct reporting *reporting = calloc(1, sizeof *reporting);
    enum weir_status status = WEIR_OK;

    if (!reporting)
        return weir_fail(err, WEIR_RETRY, "no memory");
    reporting->source =
        (struct metrics_source){.topology = topology, .pipeline = pipeline};
    if (topology->telemetry.traces.endpoint)
        status =
            traces_start(topology, pipeline, &reporting->source.traces, err);
    if (status == WEIR_OK && topology->telemetry.statsd.address)
        status = statsd_start(&reporting->source, &reporting->statsd, err);
    if (status != WEIR_OK) {
        reporting_stop(reporting);
        reporting_destroy(reporting);
        return status;
    }
    *ret_reporting = reporting;
    return WEIR_OK;
}

void reporting_stop(struct reporting *reporting)
{
    if (!reporting)
        return;
    traces_stop(reporting->source.traces);
    statsd_stop(reporting->statsd);
    reporting->statsd = NULL;
}

void reporting_destroy(struct reporting *reporting)
{
    if (!reporting)
        return;
    traces_destroy(reporting->source.traces);
    free(reporting);
}

struct traces *reporting_traces(const struct reporting *reporting)
{
    return reporting->source.traces;
}
