/*
 * kafka_gap.h - when the broker no longer has what comes next.
 */
#ifndef WEIR_KAFKA_GAP_H
#define WEIR_KAFKA_GAP_H

struct kafka_producer;

/* Decides about partitions with `has_gap`; may set `is_stopped`.  One whose
 * broker doesn't answer keeps it.  Blocks for a bounded time. */
void kafka_gap_serve(struct kafka_producer *kafka);

#endif
