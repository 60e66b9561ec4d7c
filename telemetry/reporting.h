/*
 * reporting.h - tells others of a run, as its topology says: StatsD, spans.
 */
#ifndef WEIR_TELEMETRY_REPORTING_H
#define WEIR_TELEMETRY_REPORTING_H

#include "metrics.h"

struct reporting;

/* Before the run; borrows both until stop().  What can't be reached is a
 * warning, and no failure. */
WEIR_MUST_USE
enum weir_status reporting_start(const struct topology *topology,
                                 struct pipeline *pipeline,
                                 struct reporting **ret_reporting,
                                 struct weir_error *err);

/* After the run: what came last is told, for at most some seconds; once more
 * does nothing.  NULL is fine. */
void reporting_stop(struct reporting *reporting);

/* After the pipeline was destroyed: a thread that is stuck could still have
 * something to tell.  NULL is fine. */
void reporting_destroy(struct reporting *reporting);

struct traces *reporting_traces(
    const struct reporting *reporting); /* or NULL */

#endif
