/*
 * metrics_timing.h - the part of /metrics that says how long things take.
 */
#ifndef WEIR_ADMIN_METRICS_TIMING_H
#define WEIR_ADMIN_METRICS_TIMING_H

#include "exposition.h"
#include "pipeline.h"

void metrics_timing(const struct exposition *exposition,
                    const struct pipeline *pipeline);

#endif
