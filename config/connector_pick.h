/*
 * connector_pick.h - which connector a mapping names.
 */
#ifndef WEIR_CONFIG_CONNECTOR_PICK_H
#define WEIR_CONFIG_CONNECTOR_PICK_H

#include <stddef.h>

#include <weir/settings.h>

#include "node.h"
#include "report.h"

/* What may be named, and what else may stand there. */
struct connector_names {
    const char *noun; /* "producer", "sink" */
    const char *(*name_at)(const void *list, size_t index); /* NULL: the end */
    const void *list;
    const struct weir_option *options; /* beside it; NULL: none */
};

/*
 * The place of the one connector that `node` names, alone (`sink: discard`) or
 * as a key, and its index; NULL: reported.  What isn't an option is taken.
 */
const struct node *connector_pick(struct report *report, struct node *node,
                                  const struct connector_names *names,
                                  size_t *ret_index);

#endif
