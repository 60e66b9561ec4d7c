/*
 * reporting.c - tells others of a run, as its topology says: StatsD.
 *
 * Threads: the caller's.
 */
#include "reporting.h"

#include <stdlib.h>

#include "statsd.h"

struct reporting {
    struct statsd *statsd; /* or NULL */
};

enum weir_status reporting_start(const struct metrics_source *source,
                                 struct reporting **ret_reporting,
                                 struct weir_error *err)
{
    struct reporting *reporting = calloc(1, sizeof *reporting);
    enum weir_status status = WEIR_OK;

    if (!reporting)
        return weir_fail(err, WEIR_RETRY, "no memory");
    if (source->topology->telemetry.statsd.address)
        status = statsd_start(source, &reporting->statsd, err);
    if (status == WEIR_OK)
        *ret_reporting = reporting;
    else
        reporting_stop(reporting);
    return status;
}

void reporting_stop(struct reporting *reporting)
{
    if (!reporting)
        return;
    statsd_stop(reporting->statsd);
    free(reporting);
}
