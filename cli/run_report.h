/*
 * run_report.h - how a run ended, for people and for programs.
 */
#ifndef WEIR_CLI_RUN_REPORT_H
#define WEIR_CLI_RUN_REPORT_H

#include <stdio.h>

#include "pipeline.h"

struct run_report {
    const char *pipeline; /* its name */
    int exit;
    int64_t duration_us;
    struct pipeline_stats stats;
};

/* The ledger in one line; a log line where those are JSON. */
void run_report_print(const struct run_report *report, FILE *out);

/* As JSON.  WEIR_RETRY: it could not be written. */
WEIR_MUST_USE
enum weir_status run_report_write(const struct run_report *report, FILE *out,
                                  struct weir_error *err);

#endif
