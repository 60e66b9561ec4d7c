/*
 * open.c - the batches that are being filled, by key, oldest first.
 *
 * All batches of a batcher have the same timeout, so the order of opening is
 * the order of closing by time, also when the timeout changes for all of them:
 * a list is all the timer there is.
 *
 * Threads: the batcher's.
 */
#include "open.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "invariant.h"

enum { BUCKETS = 1024 };

bool open_init(struct open_batches *open)
{
    *open =
        (struct open_batches){.buckets = calloc(BUCKETS, sizeof *open->buckets),
                              .bucket_count = BUCKETS};
    return open->buckets != NULL;
}

void open_finish(struct open_batches *open)
{
    INVARIANT(open->count == 0);
    free(open->buckets);
}

static uint64_t hash_of(struct weir_bytes key, unsigned worker)
{
    return key.data ? hash_bytes(key.data, key.size, worker + 1) : worker;
}

static bool matches(const struct weir_batch *batch, struct weir_bytes key,
                    unsigned worker)
{
    return batch->worker == worker && batch_has_key(batch, key);
}

static struct weir_batch **bucket(const struct open_batches *open,
                                  uint64_t hash)
{
    return &open->buckets[hash & (open->bucket_count - 1)];
}

struct weir_batch *open_find(struct open_batches *open, struct weir_bytes key,
                             unsigned worker)
{
    struct weir_batch *batch = open->last_found;

    if (batch && matches(batch, key, worker))
        return batch;
    batch = *bucket(open, hash_of(key, worker));
    while (batch && !matches(batch, key, worker))
        batch = batch->next_in_bucket;
    open->last_found = batch;
    return batch;
}

void open_add(struct open_batches *open, struct weir_batch *batch)
{
    struct weir_batch **at;

    batch->key_hash = hash_of(batch->key, batch->worker);
    at = bucket(open, batch->key_hash);
    batch->next_in_bucket = *at;
    *at = batch;
    batch->next_open = NULL;
    batch->previous_open = open->newest;
    if (open->newest)
        open->newest->next_open = batch;
    else
        open->oldest = batch;
    open->newest = batch;
    open->last_found = batch;
    open->count++;
}

void open_remove(struct open_batches *open, struct weir_batch *batch)
{
    struct weir_batch **at = bucket(open, batch->key_hash);

    while (*at != batch)
        at = &(*at)->next_in_bucket;
    *at = batch->next_in_bucket;
    if (batch->previous_open)
        batch->previous_open->next_open = batch->next_open;
    else
        open->oldest = batch->next_open;
    if (batch->next_open)
        batch->next_open->previous_open = batch->previous_open;
    else
        open->newest = batch->previous_open;
    if (open->last_found == batch)
        open->last_found = NULL;
    open->count--;
}
