/*
 * report.h - collects everything that is wrong with a topology file.
 */
#ifndef WEIR_CONFIG_REPORT_H
#define WEIR_CONFIG_REPORT_H

#include <stdarg.h>
#include <stdbool.h>

#include <weir/status.h>

#include "node.h"
#include "topology.h"

enum { REPORT_TEXT_MAX = 512, REPORT_PATH_MAX = 256, REPORT_COUNT_MAX = 100 };

/* A text that no error may repeat. */
struct report_secret {
    struct report_secret *next;
    struct weir_bytes text; /* borrowed */
};

struct report {
    struct topology_errors *errors; /* borrowed */
    struct report_secret *secrets;
    const char *file;
    bool is_out_of_memory; /* something could not be noted */
    bool has_secret;       /* one was read, by whatever key */
};

/* From now on `text` is struck out wherever it stands.  In `storage`, which
 * lives as long as the report. */
void report_hide(struct report *report, struct storage *storage,
                 struct weir_bytes text);

/* What is wrong with a value, with its key, and with what a mapping lacks
 * (`name` is appended to its path). */
WEIR_PRINTF(3, 4)
void report_value(struct report *report, const struct node *node,
                  const char *fmt, ...);
WEIR_PRINTF(3, 4)
void report_key(struct report *report, const struct node *node, const char *fmt,
                ...);
WEIR_PRINTF(4, 5)
void report_under(struct report *report, const struct node *node,
                  const char *name, const char *fmt, ...);

/* What works but is surely not meant; `name` may be "". */
WEIR_PRINTF(4, 5)
void report_warning(struct report *report, const struct node *node,
                    const char *name, const char *fmt, ...);

/* Any place; `path` may be "". */
struct report_where {
    struct place place;
    const char *path;
    bool is_warning;
};
WEIR_PRINTF(3, 0)
void report_add(struct report *report, const struct report_where *where,
                const char *fmt, va_list args);
WEIR_PRINTF(3, 4)
void report_at(struct report *report, const struct report_where *where,
               const char *fmt, ...);

/* Into the order of the file. */
void report_sort(struct report *report);

#endif
