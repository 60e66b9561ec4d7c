/*
 * handover.c - a batch goes to the connector, or to handle_batch().
 *
 * At most `max_in_flight` are with the connector at a time; in an ordered mode
 * one, unless it delivers nothing after a failure.  A batch is over when each
 * of its messages has an outcome, and in an ordered mode not before the older
 * ones are.
 *
 * Threads: the sink worker's.
 */
#include "handover.h"

#include "alone.h"
#include "clock.h"
#include "conclude.h"
#include "connection.h"
#include "queue.h"
#include "show.h"

enum { NO_MEMORY_US = 10 * 1000, NO_ROOM_US = 10 * 1000 };

static uint32_t limit_of(const struct sink *sink)
{
    const bool is_ordered = sink->config.run->ordering != WEIR_ORDERING_NONE;

    if (!sink->config.ops || !sink->config.ops->poll)
        return 1;
    return is_ordered && !sink->config.ops->is_ordered
               ? 1
               : sink->config.max_in_flight;
}

static void run_handler(struct sink *sink, struct weir_batch *batch)
{
    const enum weir_status status = runner_run_batch(&sink->runner, batch);
    struct weir_error err = {.text = "handle_batch answered: again"};

    switch (status) {
    case WEIR_OK:
    case WEIR_DONE:
        conclude_missing(batch, WEIR_OK, NULL);
        break;
    case WEIR_RETRY:
        if (batch->missing == 0)
            break;
        connection_wait(sink, &err);
        sink->retry_at_us = clock_after_us(backoff_us(
            sink->limits.retry.backoff_min_us,
            sink->limits.retry.backoff_max_us, ++sink->down_attempt));
        show_over(sink, batch, err.text);
        conclude_some(sink, batch);
        return;
    case WEIR_REJECT:
        conclude_missing(batch, WEIR_REJECT, NULL);
        break;
    case WEIR_FATAL:
        (void)weir_fail(&err, WEIR_FATAL, "handle_batch said WEIR_FATAL");
        connection_give_up(sink, &err);
        show_over(sink, batch, err.text);
        conclude_some(sink, batch);
        return;
    default: /* the runner has noted what it answered */
        conclude_missing(batch, WEIR_REJECT, NULL);
        break;
    }
    sink->down_attempt = 0;
    connection_set_down(sink, false);
    conclude_some(sink, batch);
}

static void run_connector(struct sink *sink, struct weir_batch *batch)
{
    const struct weir_sink_ops *ops = sink->config.ops;
    struct weir_error err = {0};
    enum weir_status status;

    slot_enter(&sink->runner.slot, batch->messages[0]);
    status = ops->write(sink->self, batch, &err);
    slot_leave(&sink->runner.slot);
    if (status == WEIR_OK && batch->missing > 0 && !ops->poll)
        status = weir_fail(&err, WEIR_RETRY,
                           "%s left messages without an outcome", ops->name);
    if (status == WEIR_OK) {
        queue_add(&sink->written, batch);
        sink->written_count++;
        return;
    }
    sink->is_full = status == WEIR_AGAIN && sink->written_count > 0;
    if (status == WEIR_AGAIN && !sink->is_full)
        sink->retry_at_us = clock_after_us(NO_ROOM_US); /* nobody will say */
    if (status != WEIR_AGAIN)
        show_over(sink, batch, err.text);
    /* In front of it comes what was written before and is not over. */
    conclude_some(sink, batch);
    connection_answer(sink, status, &err);
}

/* What is written again waits for its destination: that is no work of ours. */
static void note_begun(struct sink *sink, struct weir_batch *batch)
{
    batch->begun_us = clock_now_us();
    if (batch->closed_us > 0)
        histogram_add(&sink->wait, batch->begun_us - batch->closed_us,
                      batch->count);
    batch->closed_us = 0;
    show_begun(sink, batch);
}

void handover_begin(struct sink *sink)
{
    struct weir_batch *batch = queue_pop(&sink->held);

    if (sink->config.run->ordering != WEIR_ORDERING_NONE &&
        !lanes_split(sink, batch))
        return;
    if (!conclude_fence(sink, batch) ||
        (!sink->config.ops && !alone_split(sink, batch)))
        return;
    show_taken(sink, batch);
    note_begun(sink, batch);
    if (batch_begin(batch) != WEIR_OK) {
        queue_push(&sink->held, batch);
        sink->retry_at_us = clock_after_us(NO_MEMORY_US);
        return;
    }
    if (sink->config.ops)
        run_connector(sink, batch);
    else
        run_handler(sink, batch);
}

/* Those that are over; in an ordered mode none before an older one. */
void handover_conclude(struct sink *sink)
{
    const bool is_ordered = sink->config.run->ordering != WEIR_ORDERING_NONE;
    struct weir_batch *batch = sink->written.head;

    while (batch) {
        struct weir_batch *next = batch->next;

        if (batch->missing > 0 && is_ordered)
            return;
        if (batch->missing == 0) {
            queue_remove(&sink->written, batch);
            sink->written_count--;
            conclude_some(sink, batch);
        }
        batch = next;
    }
}

bool handover_is_possible(const struct sink *sink)
{
    return sink->is_open && !sink->is_full && !sink->has_failed &&
           sink->written_count < limit_of(sink);
}
