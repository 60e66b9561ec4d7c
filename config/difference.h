/*
 * difference.h - what two topology files say differently and a run can't take
 * over.
 */
#ifndef WEIR_CONFIG_DIFFERENCE_H
#define WEIR_CONFIG_DIFFERENCE_H

#include "tuning.h"

/*
 * Calls `found` for each key of `next` that differs from `running` and is none
 * of those that may change while it runs; secrets are struck out.  A mapping
 * or a list that differs as such has no values: "" and "".
 */
void topology_differences(const struct topology *running,
                          const struct topology *next, tuning_change_fn found,
                          void *opaque);

#endif
