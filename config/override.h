/*
 * override.h - --set PATH=VALUE, into the nodes.
 */
#ifndef WEIR_CONFIG_OVERRIDE_H
#define WEIR_CONFIG_OVERRIDE_H

#include <weir/bytes.h>

#include "node.h"
#include "report.h"
#include "storage.h"

/* Replaces or adds one value below `root`; errors are reported. */
void override_apply(struct storage *storage, struct report *report,
                    struct node *root, const char *assignment);

#endif
