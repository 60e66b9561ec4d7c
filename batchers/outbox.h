/*
 * outbox.h - closed batches, on their way to the sink workers' mailboxes.
 */
#ifndef WEIR_BATCHERS_OUTBOX_H
#define WEIR_BATCHERS_OUTBOX_H

#include <stdbool.h>

#include "batch.h"
#include "counters.h"

struct batcher;

/* True when nothing waits for room any more. */
bool outbox_offer_all(struct batcher *batcher);

/* False: its box is full and another batch waits for it; it stays open. */
bool outbox_close(struct batcher *batcher, struct weir_batch *batch,
                  enum close_reason reason);

#endif
