/*
 * status_line.h - one live line on the terminal while a pipeline runs.
 */
#ifndef WEIR_CLI_STATUS_LINE_H
#define WEIR_CLI_STATUS_LINE_H

#include "pipeline.h"

struct status_line;

/* NULL when standard error is no terminal, and when there is no memory for a
 * thing that is only nice to have. */
struct status_line *status_line_start(const struct pipeline *pipeline);

/* Takes the line away.  NULL is fine. */
void status_line_stop(struct status_line *line);

/* What it says of `now`, `interval_us` after `before`, in at most `columns`
 * columns; returns as snprintf(). */
int status_line_format(const struct pipeline_stats *before,
                       const struct pipeline_stats *now, int64_t interval_us,
                       char *out, size_t size);

#endif
