/*
 * topology_options.h - the topology file's own keys, as tables.
 *
 * Parsing, defaults, errors, `weir describe` and docs/topology.md come from
 * them, as a connector's come from its own.
 */
#ifndef WEIR_CONFIG_TOPOLOGY_OPTIONS_H
#define WEIR_CONFIG_TOPOLOGY_OPTIONS_H

#include <weir/settings.h>

extern const struct weir_option topology_top_options[];
extern const struct weir_option topology_producer_options[];
extern const struct weir_option topology_processors_options[];
extern const struct weir_option topology_handler_options[];
extern const struct weir_option topology_batcher_options[];

/* All of them, as sections of the reference; ends with {0}. */
struct topology_section {
    const char *name, *help;
    const struct weir_option *options;
};
extern const struct topology_section topology_sections[];

#endif
