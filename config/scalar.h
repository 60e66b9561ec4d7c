/*
 * scalar.h - one text and one option to one value.
 */
#ifndef WEIR_CONFIG_SCALAR_H
#define WEIR_CONFIG_SCALAR_H

#include <stdbool.h>

#include "node.h"
#include "reader.h"
#include "settings_tree.h"

/* The value of `node`, a scalar; false: reported. */
bool scalar_read(const struct reader *reader, struct weir_settings *setting,
                 const struct node *node);

/* The default of its option, which has one. */
void scalar_default(const struct reader *reader, struct weir_settings *setting);

/* "a, b" as elements of `list`; false: one of them is empty. */
bool scalar_split(const struct reader *reader, struct weir_settings *list,
                  const char *text);

/* "a duration, as in 200ms or 5s" */
const char *scalar_wanted(const struct weir_option *option);

#endif
