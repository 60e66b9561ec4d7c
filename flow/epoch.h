/*
 * epoch.h - what intake.c and epoch.c know of each other.
 */
#ifndef WEIR_FLOW_EPOCH_H
#define WEIR_FLOW_EPOCH_H

#include "intake.h"
#include "span.h"

struct epoch *epoch_find(const struct weir_intake *intake, uint32_t source);

/* Ended, and nothing refers to it any more. */
void epoch_free_if_over(struct weir_intake *intake, struct epoch *epoch);

/* Hands the settlements that were noted to the connector. */
void intake_tell(struct weir_intake *intake);

/* Books messages that nobody has begun as left. */
void intake_book_left(struct weir_intake *intake, struct mail_list *spans);

#endif
