/*
 * connectors.h - every connector of this build, and what it is made of.
 */
#ifndef WEIR_CLI_CONNECTORS_H
#define WEIR_CLI_CONNECTORS_H

#include "topology.h"

/* For topology_load() and for `weir list`. */
const struct connectors *connectors_all(void);

/* A library that a connector is written against. */
struct connector_library {
    const char *name; /* NULL ends the table */
    const char *(*version)(void);
};

const struct connector_library *connectors_libraries(void);

#endif
