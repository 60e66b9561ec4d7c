/*
 * fence.c - looks again at batches: epochs that ended, drain or are starved.
 *
 * An epoch ends at any time, also while its messages are in a batch.  What no
 * sink has taken yet leaves its batch at once; a batch that waits in vain, for
 * a partition that is being taken away or for sources that can give no more
 * before it is delivered, is closed before its time.
 *
 * Threads: the batcher's.
 */
#include "fence.h"

#include "batcher.h"
#include "outbox.h"

/* Leaves out messages of ended epochs; false: none is left. */
static bool fence(struct batcher *batcher, struct weir_batch *batch)
{
    uint32_t kept = 0;

    batch->mail = (struct mail){0};
    batch->payload_size = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        struct weir_message *msg = batch->messages[i];

        if (message_is_fenced(msg)) {
            settle(&batcher->settler, msg, ENDING_LEFT);
            continue;
        }
        batch->messages[kept++] = msg;
        batch->mail.count++;
        batch->mail.size += msg->record->size;
        batch->payload_size += weir_message_payload(msg).size;
    }
    batch->count = kept;
    batch->moved = batch->moved < kept ? batch->moved : kept;
    return kept > 0;
}

/* Which of them a batch waits for in vain; CLOSED_COUNT: it may wait. */
static enum close_reason why_close(const struct weir_batch *batch)
{
    bool is_starved = true;

    for (uint32_t i = 0; i < batch->count; i++) {
        const struct epoch *epoch = batch->messages[i]->epoch;

        if (epoch_state(epoch) == EPOCH_DRAINING)
            return CLOSED_REVOKE;
        if (!atomic_load_explicit(&epoch->is_starved, memory_order_acquire))
            is_starved = false;
    }
    return is_starved ? CLOSED_STARVED : CLOSED_COUNT;
}

void fence_open(struct batcher *batcher)
{
    struct weir_batch *batch = batcher->open.oldest;

    batcher->is_uneasy = false;
    while (batch) {
        struct weir_batch *next = batch->next_open;
        const uint32_t before = batch->count;
        enum close_reason reason;

        if (!fence(batcher, batch)) {
            batcher->open.messages -= before;
            open_remove(&batcher->open, batch);
            batch_destroy(batch);
            batch = next;
            continue;
        }
        batcher->open.messages -= before - batch->count;
        reason = why_close(batch);
        if (reason != CLOSED_COUNT && !outbox_close(batcher, batch, reason))
            batcher->is_uneasy = true;
        batch = next;
    }
    settler_flush(&batcher->settler);
}

/* What a busy sink has not taken yet. */
static void fence_box(struct batcher *batcher, struct mailbox *box)
{
    struct mail_list waiting, kept;
    struct mail *mail;

    mail_list_init(&waiting);
    mail_list_init(&kept);
    mailbox_take_all(box, &waiting);
    mail = mail_list_pop(&waiting);
    while (mail) {
        struct weir_batch *batch = batch_of(mail);

        if (fence(batcher, batch))
            mail_list_add(&kept, &batch->mail);
        else
            batch_destroy(batch);
        mail = mail_list_pop(&waiting);
    }
    mailbox_post(box, &kept);
}

void fence_all(struct batcher *batcher)
{
    for (unsigned i = 0; i < batcher->box_count; i++) {
        struct weir_batch *batch = batcher->outbox[i];

        fence_box(batcher, &batcher->boxes[i]);
        if (batch && !fence(batcher, batch)) {
            batch_destroy(batch);
            batcher->outbox[i] = NULL;
        }
    }
    fence_open(batcher);
}
