/*
 * batcher.c - the stage that groups messages for a destination.
 *
 *     inbox --> hand --> open batch of its key --> outbox --> sink's mailbox
 *                        (and, in an ordered mode, of its sink worker)
 *
 * A batch closes when it is full (messages, bytes), when a message asks for it,
 * when its time is up (counted from its first message), when its sources can
 * give no more before it is delivered, or when one of its partitions is taken
 * away.  Size beats flush beats timeout.
 *
 * While the sinks are busy the batcher goes on filling up to the size: under
 * load batches grow fuller.  Then what doesn't fit stays in hand, nothing new
 * is taken, and the processors wait.  Per mailbox at most one closed batch
 * waits here.
 *
 * Ordered modes group by the sink worker that owns the lane, never by the lane:
 * a thousand lanes must not make a thousand small batches.
 *
 * A message that waits long would pin its chunk, and the memory of 63 others;
 * so an open batch's messages are copied out of their chunks after a while.
 *
 * Threads: its own; it never calls foreign code, so it always answers.
 */
#include "batcher.h"

#include <stdlib.h>

#include "clock.h"
#include "fence.h"
#include "log.h"
#include "outbox.h"
#include "span.h"
#include "telemetry.h"

enum { TICK_US = 500 * 1000, TIDY_US = 100 * 1000, NO_MEMORY_US = 10 * 1000 };

static void wake(void *opaque)
{
    struct batcher *batcher = opaque;

    mailbox_interrupt(&batcher->inbox);
}

enum weir_status batcher_init(struct batcher *batcher,
                              const struct batcher_config *config)
{
    const bool is_ordered = config->run->ordering != WEIR_ORDERING_NONE;
    const unsigned count = is_ordered ? config->workers : 1;

    *batcher = (struct batcher){.config = *config, .box_count = count};
    board_view_init(&batcher->limits, config->index);
    (void)board_look(&config->run->board, &batcher->limits);
    mailbox_init(&batcher->inbox, 0, config->inbox_messages,
                 config->inbox_bytes);
    mail_list_init(&batcher->hand);
    settler_init(&batcher->settler, config->run);
    batcher->settler.batcher = config->name;
    waiter_init(&batcher->waiter, NULL, NULL);
    controls_init(&batcher->controls, wake, batcher);
    batcher->controls.changed = config->run->changed;
    batcher->controls.changed_opaque = config->run->changed_opaque;
    batcher->boxes = calloc(count, sizeof *batcher->boxes);
    batcher->outbox = calloc(count, sizeof *batcher->outbox);
    if (!open_init(&batcher->open) || !batcher->boxes || !batcher->outbox)
        return WEIR_RETRY;
    for (unsigned i = 0; i < count; i++)
        mailbox_init(&batcher->boxes[i], is_ordered ? 1 : config->workers, 0,
                     0);
    return WEIR_OK;
}

void batcher_finish(struct batcher *batcher)
{
    if (!batcher->config.run)
        return;
    for (unsigned i = 0; batcher->boxes && i < batcher->box_count; i++)
        mailbox_finish(&batcher->boxes[i]);
    free(batcher->boxes);
    free(batcher->outbox);
    open_finish(&batcher->open);
    mailbox_finish(&batcher->inbox);
    waiter_finish(&batcher->waiter);
    controls_finish(&batcher->controls);
}

/* ---- filling ---- */

static bool is_full(const struct batcher *batcher,
                    const struct weir_batch *batch)
{
    return batch->count >= batcher->limits.batch.batch_size;
}

/* Waits for nothing more but room. */
static bool is_complete(const struct batcher *batcher,
                        const struct weir_batch *batch)
{
    return batch->is_flushed || is_full(batcher, batch);
}

static enum close_reason reason_of(const struct batcher *batcher,
                                   const struct weir_batch *batch)
{
    return is_full(batcher, batch) ? CLOSED_SIZE : CLOSED_FLUSH;
}

static struct weir_batch *open_batch(struct batcher *batcher,
                                     struct weir_bytes key, unsigned worker)
{
    struct weir_batch *batch;

    if (batcher->open.count >= batcher->limits.batch.max_batch_keys &&
        !outbox_close(batcher, batcher->open.oldest, CLOSED_KEYS))
        return NULL;
    batch =
        batch_create(batcher->config.run, batcher->config.name, key, worker);
    if (!batch) {
        batcher->is_out_of_memory = true;
        return NULL;
    }
    batch->due_us = clock_after_us(batcher->limits.batch.batch_timeout_us);
    open_add(&batcher->open, batch);
    batch->told_us = telemetry_start(
        batcher->config.run,
        &(struct weir_telemetry_event){.kind = WEIR_TELEMETRY_BATCHER,
                                       .batcher = batcher->config.name});
    return batch;
}

static bool would_overflow(const struct batcher *batcher,
                           const struct weir_batch *batch, size_t size)
{
    return batch->count > 0 &&
           batch->payload_size + size > batcher->limits.batch.batch_bytes;
}

/* The open batch that `msg` enters; NULL: it has to wait in hand. */
static struct weir_batch *batch_for(struct batcher *batcher,
                                    const struct weir_message *msg, size_t size)
{
    const struct weir_bytes key = weir_message_batch_key(msg);
    const unsigned worker =
        batcher->box_count > 1 ? (unsigned)(msg->lane % batcher->box_count) : 0;
    struct weir_batch *batch = open_find(&batcher->open, key, worker);

    if (batch && is_full(batcher, batch)) {
        if (!outbox_close(batcher, batch, CLOSED_SIZE))
            return NULL;
        batch = NULL;
    }
    if (batch && would_overflow(batcher, batch, size)) {
        if (!outbox_close(batcher, batch, CLOSED_BYTES))
            return NULL;
        batch = NULL;
    }
    return batch ? batch : open_batch(batcher, key, worker);
}

static bool is_uneasy(const struct weir_message *msg)
{
    return atomic_load_explicit(&msg->epoch->is_starved,
                                memory_order_relaxed) ||
           message_epoch_state(msg) != EPOCH_LIVE;
}

/* False: it stays in hand. */
static bool place(struct batcher *batcher, struct weir_message *msg)
{
    const size_t size = weir_message_payload(msg).size;
    const bool is_flush = msg->changes && msg->changes->is_flush;
    struct weir_batch *batch;

    if (message_is_fenced(msg)) {
        settle(&batcher->settler, msg, ENDING_LEFT);
        return true;
    }
    batch = batch_for(batcher, msg, size);
    if (!batch)
        return false;
    if (batch_add(batch, msg) != WEIR_OK) {
        batcher->is_out_of_memory = true;
        return false;
    }
    batch->payload_size += size;
    batcher->open.messages++;
    batcher->is_uneasy |= is_uneasy(msg);
    batch->is_flushed |= is_flush;
    if (is_complete(batcher, batch))
        batcher->has_full |=
            !outbox_close(batcher, batch, reason_of(batcher, batch));
    return true;
}

/* What is left of a span from slot `done` on goes back to the hand. */
static void put_back(struct batcher *batcher, struct weir_message *span,
                     uint32_t done, uint32_t count)
{
    if (done > 0) {
        span[done].mail = (struct mail){.count = count - done};
        for (uint32_t i = done; i < count; i++)
            span[done].mail.size += span[i].record->size;
    }
    mail_list_push(&batcher->hand, &span[done].mail);
}

/* True: the hand is empty. */
static bool fill(struct batcher *batcher)
{
    struct mail *mail = mail_list_pop(&batcher->hand);

    while (mail) {
        struct weir_message *span = message_of(mail);
        const uint32_t count = mail->count;
        uint32_t done = 0;

        while (done < count && place(batcher, &span[done]))
            done++;
        if (done < count) {
            put_back(batcher, span, done, count);
            return false;
        }
        mail = mail_list_pop(&batcher->hand);
    }
    return true;
}

/* ---- time ---- */

static void tidy(struct batcher *batcher, struct weir_batch *batch)
{
    for (uint32_t i = batch->moved; i < batch->count; i++) {
        struct weir_message *msg = batch->messages[i], *copy = NULL;

        if (!message_is_alone(msg))
            copy = message_move(batcher->config.run, msg, true);
        if (copy) {
            batch->messages[i] = copy;
            settle(&batcher->settler, msg, ENDING_MOVED);
        }
    }
    batch->moved = batch->count;
}

static void tidy_all(struct batcher *batcher, int64_t now)
{
    const int64_t timeout = batcher->limits.batch.batch_timeout_us;

    if (now < batcher->tidy_us)
        return;
    batcher->tidy_us = now + TIDY_US;
    for (struct weir_batch *batch = batcher->open.oldest; batch;
         batch = batch->next_open) {
        if (batch->due_us - timeout + TIDY_US <= now)
            tidy(batcher, batch);
    }
}

static void close_due(struct batcher *batcher, int64_t now)
{
    struct weir_batch *batch = batcher->open.oldest;

    while (batch && batch->due_us <= now) {
        struct weir_batch *next = batch->next_open;

        (void)outbox_close(batcher, batch, CLOSED_TIMEOUT);
        batch = next;
    }
}

/* Those that were full, or flushed, when there was no room for them. */
static void close_complete(struct batcher *batcher)
{
    struct weir_batch *batch = batcher->open.oldest;

    batcher->has_full = false;
    while (batch) {
        struct weir_batch *next = batch->next_open;

        if (is_complete(batcher, batch))
            batcher->has_full |=
                !outbox_close(batcher, batch, reason_of(batcher, batch));
        batch = next;
    }
}

static void close_all(struct batcher *batcher)
{
    struct weir_batch *batch = batcher->open.oldest;

    while (batch) {
        struct weir_batch *next = batch->next_open;

        (void)outbox_close(batcher, batch, CLOSED_DRAIN);
        batch = next;
    }
}

static int64_t next_deadline(const struct batcher *batcher, int64_t now)
{
    const struct weir_batch *oldest = batcher->open.oldest;
    int64_t deadline = now + TICK_US;

    if (!oldest)
        return deadline;
    if (oldest->due_us > now && oldest->due_us < deadline)
        deadline = oldest->due_us;
    return deadline < now + TIDY_US ? deadline : now + TIDY_US;
}

/* Others hold from now on, also for the batches that are open: their time
 * counts from when they were opened, so the oldest stays the first. */
static void look_at_limits(struct batcher *batcher)
{
    const int64_t before = batcher->limits.batch.batch_timeout_us;
    int64_t longer;

    if (!board_look(&batcher->config.run->board, &batcher->limits))
        return;
    longer = batcher->limits.batch.batch_timeout_us - before;
    for (struct weir_batch *batch = batcher->open.oldest; batch;
         batch = batch->next_open)
        batch->due_us += longer;
    batcher->has_full = batcher->open.count > 0; /* some may be full now */
}

/* ---- the end ---- */

static void let_go_batch(struct batcher *batcher, struct weir_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        settle(&batcher->settler, batch->messages[i], ENDING_LEFT);
    batch_destroy(batch);
}

/* The deadline passed: everything is left to the broker. */
static void let_go(struct batcher *batcher)
{
    struct mail *mail;

    mailbox_take_all(&batcher->inbox, &batcher->hand);
    mail = mail_list_pop(&batcher->hand);
    while (mail) {
        struct weir_message *span = message_of(mail);
        const uint32_t count = mail->count;

        for (uint32_t i = 0; i < count; i++)
            settle(&batcher->settler, &span[i], ENDING_LEFT);
        mail = mail_list_pop(&batcher->hand);
    }
    while (batcher->open.oldest) {
        struct weir_batch *batch = batcher->open.oldest;

        open_remove(&batcher->open, batch);
        let_go_batch(batcher, batch);
    }
    for (unsigned i = 0; i < batcher->box_count; i++) {
        if (batcher->outbox[i])
            let_go_batch(batcher, batcher->outbox[i]);
        batcher->outbox[i] = NULL;
        mail = mailbox_take(&batcher->boxes[i]);
        while (mail) {
            let_go_batch(batcher, batch_of(mail));
            mail = mailbox_take(&batcher->boxes[i]);
        }
    }
    settler_flush(&batcher->settler);
}

static bool is_empty(struct batcher *batcher)
{
    for (unsigned i = 0; i < batcher->box_count; i++) {
        if (batcher->outbox[i])
            return false;
    }
    return !batcher->hand.head && !batcher->open.oldest &&
           mailbox_count(&batcher->inbox) == 0;
}

/* One round; true: all that could be placed was. */
static bool work(struct batcher *batcher)
{
    bool has_placed_all;

    (void)outbox_offer_all(batcher);
    if (batcher->has_full)
        close_complete(batcher);
    if (!batcher->hand.head)
        mailbox_take_all(&batcher->inbox, &batcher->hand);
    has_placed_all = fill(batcher);
    settler_flush(&batcher->settler);
    return has_placed_all;
}

static void describe(struct batcher *batcher)
{
    struct holdings holdings = {.waiting = batcher->hand.count +
                                           mailbox_count(&batcher->inbox),
                                .begun = batcher->open.messages};

    for (unsigned i = 0; i < batcher->box_count; i++) {
        holdings.begun += mailbox_count(&batcher->boxes[i]);
        if (batcher->outbox[i])
            holdings.begun += batcher->outbox[i]->count;
    }
    control_answer(&batcher->controls, CONTROL_DESCRIBE, &holdings);
}

static void show(struct batcher *batcher)
{
    const struct weir_batch *oldest = batcher->open.oldest;

    atomic_store_explicit(&batcher->shown_batches, batcher->open.count,
                          memory_order_relaxed);
    atomic_store_explicit(&batcher->shown_messages, batcher->open.messages,
                          memory_order_relaxed);
    atomic_store_explicit(&batcher->shown_hand, batcher->hand.count,
                          memory_order_relaxed);
    atomic_store_explicit(
        &batcher->shown_oldest_us,
        oldest ? oldest->due_us - batcher->limits.batch.batch_timeout_us : 0,
        memory_order_relaxed);
}

static void rest(struct batcher *batcher, bool has_placed_all)
{
    const int64_t now = clock_now_us();
    int64_t deadline;
    bool is_blocked;

    close_due(batcher, now);
    if (batcher->is_uneasy)
        fence_open(batcher);
    tidy_all(batcher, now);
    settler_flush(&batcher->settler);
    show(batcher);
    /* Partner: batcher_has_room(), after a sink worker took a batch. */
    atomic_store_explicit(&batcher->is_blocked, true, memory_order_seq_cst);
    is_blocked = !outbox_offer_all(batcher);
    if (!is_blocked)
        atomic_store_explicit(&batcher->is_blocked, false,
                              memory_order_relaxed);
    if (!has_placed_all && !is_blocked && !batcher->is_out_of_memory)
        return; /* there is room now */
    deadline = next_deadline(batcher, now);
    if (batcher->is_out_of_memory)
        deadline = now + NO_MEMORY_US;
    batcher->is_out_of_memory = false;
    mailbox_wait(&batcher->inbox, &batcher->waiter,
                 has_placed_all ? 1 : UINT32_MAX, deadline);
}

void *batcher_main(void *opaque)
{
    struct batcher *batcher = opaque;
    struct run *run = batcher->config.run;
    const struct log_place place = {.pipeline = run->name,
                                    .stage = "batcher",
                                    .batcher = batcher->config.name};
    bool is_over = false;

    log_set_place(&place);
    while (!is_over && !run_is_aborting(run)) {
        bool has_placed_all;

        look_at_limits(batcher);
        has_placed_all = work(batcher);

        if (atomic_exchange_explicit(&batcher->is_poked, false,
                                     memory_order_acq_rel))
            fence_all(batcher);
        if (control_is_asked(&batcher->controls, CONTROL_DESCRIBE))
            describe(batcher);
        if (control_is_asked(&batcher->controls, CONTROL_CLOSE)) {
            close_all(batcher);
            is_over = is_empty(batcher);
        }
        if (!is_over)
            rest(batcher, has_placed_all);
    }
    if (!is_over)
        let_go(batcher);
    atomic_store_explicit(&batcher->is_over, true, memory_order_release);
    run->changed(run->changed_opaque);
    return NULL;
}

void batcher_poke(struct batcher *batcher)
{
    /* Partner: the exchange in batcher_main(). */
    atomic_store_explicit(&batcher->is_poked, true, memory_order_release);
    mailbox_interrupt(&batcher->inbox);
}

void batcher_has_room(struct batcher *batcher)
{
    if (atomic_load_explicit(&batcher->is_blocked, memory_order_seq_cst))
        mailbox_interrupt(&batcher->inbox);
}
