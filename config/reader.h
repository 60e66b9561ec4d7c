/*
 * reader.h - nodes and a table of options to settings.
 */
#ifndef WEIR_CONFIG_READER_H
#define WEIR_CONFIG_READER_H

#include <weir/settings.h>

#include "node.h"
#include "report.h"
#include "settings_tree.h"
#include "storage.h"

/*
 * An option of a table that has no type of its own, since a connector or a
 * name is in it: it is known, described (`choices` is its type) and read by
 * topology_read.c.
 */
#define READER_ELSEWHERE (1U << 16)

struct reader {
    struct storage *storage;
    struct report *report;
    const char *folder; /* of the topology file: paths start there */
};

/*
 * What `node` says by the table `options`.  `node` is a mapping, or text (a
 * name alone: defaults); NULL: not written, all defaults.  `at` is where errors
 * about what is missing stand.  Every error is reported; what is wrong has its
 * default.  NULL when out of memory.
 */
struct weir_settings *reader_read(const struct reader *reader,
                                  const struct node *node,
                                  const struct node *at,
                                  const struct weir_option *options);

/* Any keys, as a handler's `options:`; `node` may be NULL. */
struct weir_settings *reader_read_any(const struct reader *reader,
                                      const struct node *node);

#endif
