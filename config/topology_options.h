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

#endif
