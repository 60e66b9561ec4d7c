/*
 * lane_key.h - which messages share a lane.
 */
#ifndef WEIR_FLOW_LANE_KEY_H
#define WEIR_FLOW_LANE_KEY_H

#include <stdint.h>

#include "epoch.h"
#include "intake.h"

/* The messages of one lane keep their order.  A message without a key has no
 * order: a lane of its own. */
uint64_t lane_key_of(struct weir_intake *intake, const struct epoch *epoch,
                     const struct weir_record *record);

#endif
