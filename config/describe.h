/*
 * describe.h - tables of options, for people.
 */
#ifndef WEIR_CONFIG_DESCRIBE_H
#define WEIR_CONFIG_DESCRIBE_H

#include <stdbool.h>
#include <stdio.h>

#include <weir/settings.h>

#include "topology.h"

/* One line an option and one for its help, indented by two blanks. */
void describe_options(FILE *out, const struct weir_option *options);

/*
 * For `weir describe NAME`: every producer, sink, handler and section of the
 * topology file ("topology", "processors", ...) of that name.  False: there is
 * none, and nothing was written.
 */
bool describe_write(FILE *out, const struct connectors *connectors,
                    const char *name);

/* " (did you mean `kafka`?)", or nothing; into `out`, which is returned. */
const char *describe_suggest(const struct connectors *connectors,
                             const char *name, char *out, size_t size);

/* docs/topology.md: the whole topology file, as Markdown. */
void reference_write(FILE *out, const struct connectors *connectors);

#endif
