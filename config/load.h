/*
 * load.h - YAML text to nodes.
 */
#ifndef WEIR_CONFIG_LOAD_H
#define WEIR_CONFIG_LOAD_H

#include <stddef.h>

#include <weir/bytes.h>

#include "node.h"
#include "report.h"
#include "storage.h"

/* Of a topology file, and of what stands in it. */
enum {
    LOAD_SIZE_MAX = 1024 * 1024,
    LOAD_DEPTH_MAX = 32,
    LOAD_NODE_MAX = 20000
};

/* The root, a mapping; NULL: reported, or out of memory. */
struct node *load_yaml(struct storage *storage, struct report *report,
                       struct weir_bytes text);

#endif
