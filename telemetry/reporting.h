/*
 * reporting.h - tells others of a run, as its topology says: StatsD.
 */
#ifndef WEIR_TELEMETRY_REPORTING_H
#define WEIR_TELEMETRY_REPORTING_H

#include "metrics.h"

struct reporting;

/* Before the run; borrows the source's parts until stop().  What is not
 * reachable is no failure, but a warning. */
WEIR_MUST_USE
enum weir_status reporting_start(const struct metrics_source *source,
                                 struct reporting **ret_reporting,
                                 struct weir_error *err);

/* After the run: what came last is told, for at most a second.  NULL is fine.
 */
void reporting_stop(struct reporting *reporting);

#endif
