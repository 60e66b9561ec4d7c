/*
 * alone.c - a message that took the process down in handle_batch().
 *
 * The journal knows which messages were in there. They may be anywhere in the
 * batches that come now, so a batch is cut in front of and behind each:
 *
 *     held:  [ a b S c d ]  -->  [ a b ] [ S ] [ c d ]
 *
 * In their order, so that no message overtakes another of its lane.
 *
 * Threads: the sink worker's.
 */
#include "alone.h"

#include <string.h>

#include "clock.h"
#include "conclude.h"
#include "queue.h"

enum { NO_MEMORY_US = 10 * 1000 };

/* A new batch of what is behind the first `count`, which has been there. */
static struct weir_batch *cut(struct sink *sink, struct weir_batch *batch,
                              uint32_t count)
{
    struct weir_batch *rest = batch_create(sink->config.run, batch->batcher,
                                           batch->key, batch->worker);

    for (uint32_t i = count; rest && i < batch->count; i++) {
        if (batch_add(rest, batch->messages[i]) != WEIR_OK) {
            batch_destroy(rest);
            rest = NULL;
        }
    }
    if (rest)
        batch->count = count;
    return rest;
}

static void fail_first(struct sink *sink, struct weir_batch *batch)
{
    struct weir_message *msg = batch->messages[0];

    batch->count--;
    memmove(batch->messages, batch->messages + 1,
            batch->count * sizeof *batch->messages);
    if (batch->count > 0)
        queue_push(&sink->held, batch);
    else
        batch_destroy(batch);
    conclude_condemned(sink, msg);
}

bool alone_split(struct sink *sink, struct weir_batch *batch)
{
    const uint32_t count =
        runner_may_batch(&sink->runner, batch->messages, batch->count);
    struct weir_batch *rest;

    if (count == batch->count)
        return true;
    if (count == 0) {
        fail_first(sink, batch);
        return false;
    }
    rest = cut(sink, batch, count);
    if (!rest) {
        queue_push(&sink->held, batch);
        sink->retry_at_us = clock_after_us(NO_MEMORY_US);
        return false;
    }
    queue_push(&sink->held, rest);
    return true;
}
