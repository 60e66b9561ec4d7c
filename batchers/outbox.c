/*
 * outbox.c - closed batches, on their way to the sink workers' mailboxes.
 *
 * Per mailbox at most one closed batch waits here; while it does, no other for
 * the same mailbox can be closed, and goes on filling.
 *
 * Threads: the batcher's.
 */
#include "outbox.h"

#include "batcher.h"
#include "clock.h"
#include "telemetry.h"

static bool offer(struct batcher *batcher, unsigned box)
{
    struct mail_list list;

    if (!batcher->outbox[box])
        return true;
    mail_list_init(&list);
    mail_list_add(&list, &batcher->outbox[box]->mail);
    if (mailbox_offer(&batcher->boxes[box], &list) != WEIR_OK)
        return false;
    batcher->outbox[box] = NULL;
    return true;
}

bool outbox_offer_all(struct batcher *batcher)
{
    bool is_empty = true;

    for (unsigned i = 0; i < batcher->box_count; i++)
        is_empty = offer(batcher, i) && is_empty;
    return is_empty;
}

bool outbox_close(struct batcher *batcher, struct weir_batch *batch,
                  enum close_reason reason)
{
    if (batcher->outbox[batch->worker] && !offer(batcher, batch->worker))
        return false;
    open_remove(&batcher->open, batch);
    batcher->open.messages -= batch->count;
    batch->closed_us = clock_now_us();
    histogram_add(&batcher->wait,
                  batch->closed_us -
                      (batch->due_us - batcher->limits.batch.batch_timeout_us),
                  batch->count);
    telemetry_stop(
        batcher->config.run,
        &(struct weir_telemetry_event){.kind = WEIR_TELEMETRY_BATCHER,
                                       .batcher = batcher->config.name,
                                       .count = batch->count},
        batch->told_us, NULL);
    batch->told_us = 0; /* from here on it is its sink's */
    batcher->outbox[batch->worker] = batch;
    counter_add(&batcher->config.run->counters.closed[reason], 1);
    (void)offer(batcher, batch->worker);
    return true;
}
