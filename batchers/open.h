/*
 * open.h - the batches that are being filled, by key, oldest first.
 */
#ifndef WEIR_BATCHERS_OPEN_H
#define WEIR_BATCHERS_OPEN_H

#include <stdint.h>

#include "batch.h"

/* Batches are found by key and sink worker, and walked by age. */
struct open_batches {
    struct weir_batch **buckets;
    uint32_t bucket_count; /* a power of two */
    uint32_t count, messages;
    struct weir_batch *oldest, *newest;
    struct weir_batch *last_found; /* runs of one key are common */
};

/* False: no memory. */
bool open_init(struct open_batches *open);
void open_finish(struct open_batches *open); /* INVARIANT: empty */

struct weir_batch *open_find(struct open_batches *open, struct weir_bytes key,
                             unsigned worker);
void open_add(struct open_batches *open, struct weir_batch *batch);
void open_remove(struct open_batches *open, struct weir_batch *batch);

#endif
