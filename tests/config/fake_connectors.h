/*
 * fake_connectors.h - connectors that are tables and a check(), no more.
 */
#ifndef WEIR_TESTS_FAKE_CONNECTORS_H
#define WEIR_TESTS_FAKE_CONNECTORS_H

#include "topology.h"

extern const struct connectors fake_connectors;

#endif
