/*
 * conclude.c - what becomes of a message after its sink said something.
 *
 *     OK       done
 *     RETRY    alone again after its backoff, up to `attempts`; in an ordered
 *              mode its lane waits with it, the later ones of this batch too,
 *              whatever their outcome was: they are delivered again behind it
 *     REJECT   failure policy
 *     nothing  stays in the batch, which is written again; in an ordered mode
 *              with what is behind it in its lane, whatever that one's outcome
 *
 * In the sink of the batcher `dead_letter` it is another table: letters.c.
 *
 * Threads: the sink worker's.
 */
#include "conclude.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "invariant.h"
#include "letters.h"
#include "queue.h"
#include "show.h"

void conclude_end(struct sink *sink, struct weir_message *msg,
                  enum ending ending)
{
    sink->in_hand--;
    settle(&sink->settler, msg, ending);
}

void conclude_failures(struct sink *sink)
{
    failure_finish(&sink->failure);
    if (sink->failure.letters.head)
        mailbox_post(sink->config.letters, &sink->failure.letters);
}

static void fail(struct sink *sink, struct weir_message *msg,
                 enum reject_reason code, const char *why)
{
    const bool is_ordered = sink->config.run->ordering != WEIR_ORDERING_NONE;
    const uint64_t lane = msg->lane;

    sink->in_hand--;
    if (why || !msg->reason) /* else handle_batch() gave one */
        message_set_reason(msg, &sink->runner.context, "%s",
                           why ? why : "rejected, and no reason was given");
    failure_add(&sink->failure, msg, code);
    if (!is_ordered)
        return;
    failure_finish(&sink->failure);
    if (sink->failure.has_stopped)
        lanes_give_up(sink, lane); /* nothing behind it may overtake it */
    sink->failure.has_stopped = false;
}

void conclude_condemned(struct sink *sink, struct weir_message *msg)
{
    if (!sink->config.is_dead_letter)
        fail(sink, msg, REJECTED_CRASHES, NULL);
    else
        INVARIANT(letters_conclude(sink, msg, WEIR_REJECT, NULL));
}

void conclude_missing(struct weir_batch *batch, enum weir_status status,
                      const char *why)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        if (batch_outcome(batch, i) == WEIR_STATUS_COUNT)
            weir_batch_set_outcome(batch, i, 1, status, why);
    }
}

void conclude_no_memory(struct sink *sink, struct weir_message *msg)
{
    struct run *run = sink->config.run;

    conclude_end(sink, msg, ENDING_LEFT);
    run->end(run->end_opaque, RUN_END_GAVE_UP,
             "out of memory: a message could not be kept for its retry");
}

/* A copy that does not pin its chunk, with what the handler made of it. */
static struct weir_message *keep_apart(struct sink *sink,
                                       struct weir_message *msg)
{
    struct weir_message *copy = NULL;

    if (!message_is_alone(msg))
        copy = message_move(sink->config.run, msg, true);
    if (copy)
        settle(&sink->settler, msg, ENDING_MOVED);
    return copy ? copy : msg;
}

static void retry(struct sink *sink, struct weir_message *msg, const char *why)
{
    struct run *run = sink->config.run;
    const struct retry_limits *limits = &sink->limits.retry;
    const bool is_ordered = run->ordering != WEIR_ORDERING_NONE;
    int64_t due_us = CLOCK_NEVER_US;

    if (msg->deliveries >= limits->attempts) {
        fail(sink, msg, REJECTED_RETRIES, why);
        return;
    }
    if (!control_is_asked(&sink->controls, CONTROL_DRAIN))
        due_us = clock_after_us(backoff_us(
            limits->backoff_min_us, limits->backoff_max_us, msg->deliveries));
    else if (!is_ordered) {
        conclude_end(sink, msg, ENDING_LEFT);
        return;
    }
    settle_later(&sink->settler, msg, why);
    msg->deliveries++;
    counter_add(&run->counters.retries, 1);
    msg = keep_apart(sink, msg);
    if (why && message_is_alone(msg))
        note_write(&msg->chunk->why, why);
    message_goes(run, msg,
                 (struct whereabouts){.where = WHERE_SINK_RETRY,
                                      .attempt = msg->deliveries - 1,
                                      .worker = sink->config.worker.index,
                                      .batcher = sink->config.batcher_index});
    if ((is_ordered ? lanes_hold(sink, msg, due_us)
                    : heap_push(&sink->retries, due_us, msg)) != WEIR_OK)
        conclude_no_memory(sink, msg);
}

/* False: it has no outcome and stays in its batch. */
static bool conclude_one(struct sink *sink, struct weir_batch *batch,
                         uint32_t i)
{
    struct weir_message *msg = batch->messages[i];
    const enum weir_status outcome = batch_outcome(batch, i);

    if (sink->lanes && lanes_find(sink, msg->lane)) {
        INVARIANT(lanes_hold(sink, keep_apart(sink, msg), 0) == WEIR_OK);
        return true; /* a held lane takes more without memory */
    }
    if (sink->config.is_dead_letter)
        return letters_conclude(sink, msg, outcome, batch->why[i]);
    switch (outcome) {
    case WEIR_STATUS_COUNT:
        return false;
    case WEIR_OK:
    case WEIR_DONE:
        conclude_end(sink, msg, ENDING_DONE);
        return true;
    case WEIR_RETRY:
        retry(sink, msg, batch->why[i]);
        return true;
    default:
        fail(sink, msg, REJECTED_SINK, batch->why[i]);
        return true;
    }
}

static bool has_lane(const struct weir_batch *batch, uint32_t count,
                     uint64_t lane)
{
    for (uint32_t i = 0; i < count; i++) {
        if (batch->messages[i]->lane == lane)
            return true;
    }
    return false;
}

/* Whether an older message of this lane stays: one of the first `kept` of
 * `batch`, or of `left`. */
static bool is_behind(const struct batch_queue *left,
                      const struct weir_batch *batch, uint32_t kept,
                      uint64_t lane)
{
    const struct weir_batch *older = left->head;

    while (older && !has_lane(older, older->count, lane))
        older = older->next;
    return older || has_lane(batch, kept, lane);
}

void conclude(struct sink *sink, struct weir_batch *batch,
              struct batch_queue *left)
{
    const bool is_ordered = sink->config.run->ordering != WEIR_ORDERING_NONE;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < batch->count; i++) {
        struct weir_message *msg = batch->messages[i];

        if ((is_ordered && is_behind(left, batch, kept, msg->lane)) ||
            !conclude_one(sink, batch, i))
            batch->messages[kept++] = msg;
    }
    batch->count = kept;
    if (kept == 0)
        batch_destroy(batch);
    else
        queue_add(left, batch);
}

void conclude_some(struct sink *sink, struct weir_batch *batch)
{
    struct batch_queue left;

    queue_init(&left);
    if (batch->begun_us > 0 && batch->missing == 0)
        histogram_add(&sink->work, clock_now_us() - batch->begun_us,
                      batch->count);
    if (batch->missing == 0)
        show_over(sink, batch, NULL);
    batch->begun_us = 0;
    conclude(sink, batch, &left);
    queue_join_front(&sink->held, &left);
}

bool conclude_fence(struct sink *sink, struct weir_batch *batch)
{
    uint32_t kept = 0;

    batch->mail = (struct mail){0};
    for (uint32_t i = 0; i < batch->count; i++) {
        struct weir_message *msg = batch->messages[i];

        if (message_is_fenced(msg)) {
            conclude_end(sink, msg, ENDING_LEFT);
            continue;
        }
        batch->messages[kept++] = msg;
        batch->mail.count++;
        batch->mail.size += msg->record->size;
    }
    batch->count = kept;
    if (kept == 0)
        batch_destroy(batch);
    return kept > 0;
}

static void fence_lane(struct sink *sink, struct held_lane *lane)
{
    struct mail_list kept;
    struct mail *mail = mail_list_pop(&lane->messages);

    mail_list_init(&kept);
    while (mail) {
        if (message_is_fenced(message_of(mail)))
            conclude_end(sink, message_of(mail), ENDING_LEFT);
        else
            mail_list_add(&kept, mail);
        mail = mail_list_pop(&lane->messages);
    }
    mail_list_join(&lane->messages, &kept);
}

static bool is_fenced(const void *item)
{
    return message_is_fenced(item);
}

void conclude_fence_all(struct sink *sink)
{
    struct batch_queue held = sink->held;
    struct weir_batch *batch;
    struct weir_message *msg = heap_extract(&sink->retries, is_fenced);

    if (!held.head)
        held.tail = &held.head;
    queue_init(&sink->held);
    batch = queue_pop(&held);
    while (batch) {
        if (conclude_fence(sink, batch))
            queue_add(&sink->held, batch);
        batch = queue_pop(&held);
    }
    while (msg) {
        conclude_end(sink, msg, ENDING_LEFT);
        msg = heap_extract(&sink->retries, is_fenced);
    }
    for (struct held_lane *lane = sink->lanes; lane; lane = lane->next)
        fence_lane(sink, lane);
}

/* ---- what waited ---- */

static struct weir_batch *batch_of_one(struct sink *sink,
                                       struct weir_message *msg)
{
    struct weir_batch *batch =
        batch_create(sink->config.run, sink->config.batcher,
                     weir_message_batch_key(msg), sink->config.worker.index);

    if (batch && batch_add(batch, msg) != WEIR_OK) {
        batch_destroy(batch);
        batch = NULL;
    }
    return batch;
}

/* Joins `batch` if it is of the same key and has room, else begins another,
 * which goes to the end of `queue`. */
static struct weir_batch *collect(struct sink *sink, struct batch_queue *queue,
                                  struct weir_batch *batch,
                                  struct weir_message *msg)
{
    if (batch && batch->count < sink->limits.batch.batch_size &&
        batch_has_key(batch, weir_message_batch_key(msg)) &&
        batch_add(batch, msg) == WEIR_OK)
        return batch;
    batch = batch_of_one(sink, msg);
    if (batch)
        queue_add(queue, batch);
    else
        conclude_no_memory(sink, msg);
    return batch;
}

void conclude_due(struct sink *sink, int64_t now_us)
{
    struct weir_message *msg = heap_pop(&sink->retries, now_us);
    struct held_lane *lane = lanes_due(sink, now_us);
    struct weir_batch *batch = NULL;
    struct batch_queue queue;

    queue_init(&queue);
    while (msg) {
        batch = collect(sink, &queue, batch, msg);
        msg = heap_pop(&sink->retries, now_us);
    }
    while (lane) {
        struct mail *mail = mail_list_pop(&lane->messages);

        while (mail) {
            batch = collect(sink, &queue, batch, message_of(mail));
            mail = mail_list_pop(&lane->messages);
        }
        free(lane);
        lane = lanes_due(sink, now_us);
    }
    queue_join_front(&sink->held, &queue);
}

static void leave_lane(struct sink *sink, struct held_lane *lane)
{
    struct mail *mail = mail_list_pop(&lane->messages);

    while (mail) {
        conclude_end(sink, message_of(mail), ENDING_LEFT);
        mail = mail_list_pop(&lane->messages);
    }
}

void conclude_backoff(struct sink *sink)
{
    struct weir_message *msg = heap_pop(&sink->retries, CLOCK_NEVER_US);

    while (msg) {
        conclude_end(sink, msg, ENDING_LEFT);
        msg = heap_pop(&sink->retries, CLOCK_NEVER_US);
    }
    /* The lanes stay: what comes behind in them is left, too. */
    for (struct held_lane *lane = sink->lanes; lane; lane = lane->next) {
        lane->due_us = CLOCK_NEVER_US;
        leave_lane(sink, lane);
    }
}

static void leave_queue(struct sink *sink, struct batch_queue *queue)
{
    struct weir_batch *batch = queue_pop(queue);

    while (batch) {
        for (uint32_t i = 0; i < batch->count; i++)
            conclude_end(sink, batch->messages[i], ENDING_LEFT);
        batch_destroy(batch);
        batch = queue_pop(queue);
    }
}

void conclude_all(struct sink *sink)
{
    conclude_failures(sink);
    leave_queue(sink, &sink->written);
    leave_queue(sink, &sink->held);
    sink->written_count = 0;
    conclude_backoff(sink);
    runner_release(&sink->runner);
    settler_flush(&sink->settler);
    slot_hold(&sink->runner.slot, sink->in_hand);
}
