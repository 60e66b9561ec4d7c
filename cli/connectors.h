/*
 * connectors.h - every connector of this build, and what it is made of.
 */
#ifndef WEIR_CLI_CONNECTORS_H
#define WEIR_CLI_CONNECTORS_H

#include "admin.h"
#include "topology.h"

/* For topology_load() and for `weir list`. */
const struct connectors *connectors_all(void);

/* The libraries that connectors are written against. */
const struct admin_library *connectors_libraries(void);

#endif
