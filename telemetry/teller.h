/*
 * teller.h - who tells a form of the metrics; what the parts of the list share.
 */
#ifndef WEIR_TELEMETRY_TELLER_H
#define WEIR_TELEMETRY_TELLER_H

#include "inspect.h"
#include "metrics.h"

struct teller {
    const struct metrics_form *form;
    const char *pipeline;
};

/* `labels` beside the pipeline's; a NULL value is left out, a NULL name ends
 * them; NULL: none. */
void teller_number(const struct teller *teller, const struct metric *metric,
                   const struct metric_label *labels, double value);
/* Without a label but the pipeline's. */
void teller_gauge(const struct teller *teller, const char *name, double value,
                  const char *help);
void teller_histogram(const struct teller *teller, const struct metric *metric,
                      const struct metric_label *labels,
                      const struct histogram_view *view);

/* The parts. */
void metrics_counters(const struct teller *teller,
                      const struct pipeline_stats *stats);
void metrics_inspection(const struct teller *teller,
                        const struct inspection *inspection);
WEIR_MUST_USE
enum weir_status metrics_timing(const struct teller *teller,
                                const struct pipeline *pipeline);
void metrics_reload(const struct teller *teller, struct pipeline *pipeline);
void metrics_process(const struct teller *teller);

#endif
