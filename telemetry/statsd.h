/*
 * statsd.h - sends metrics to a StatsD receiver, by UDP.
 */
#ifndef WEIR_TELEMETRY_STATSD_H
#define WEIR_TELEMETRY_STATSD_H

#include "metrics.h"

struct statsd;

/* As `telemetry.statsd` of the source's topology says.  Borrows the source's
 * parts until stop(). */
WEIR_MUST_USE
enum weir_status statsd_start(const struct metrics_source *source,
                              struct statsd **ret_statsd,
                              struct weir_error *err);

/* Sends once more, what came last; NULL is fine. */
void statsd_stop(struct statsd *statsd);

#endif
