/*
 * interpolate.h - ${VAR} and ${file:path} in the text of nodes.
 */
#ifndef WEIR_CONFIG_INTERPOLATE_H
#define WEIR_CONFIG_INTERPOLATE_H

#include "node.h"
#include "report.h"
#include "storage.h"

struct interpolation {
    struct storage *storage;
    struct report *report;
    const char *folder; /* of the topology file: ${file:} starts there */
};

/* Every text below `node`; one that can't be filled in becomes NODE_BAD. */
void interpolate_tree(const struct interpolation *inter, struct node *node);

#endif
