/*
 * sink.c - the stage that delivers: M workers per batcher.
 *
 *     box --> held --write--> written --outcomes--> settled, failed, or again
 *              ^                                                        |
 *              +--- the destination is down: the whole batch -----------+
 *              +--- one message again, after its backoff ---------------+
 *
 * Here is what a worker does next; whether its destination is there is known to
 * connection.c, handover.c hands batches over, and conclude.c decides what
 * becomes of each message.
 *
 * Invariants: every message is in one of box, held, written, retries, lanes; it
 * leaves with one settlement. In an ordered mode one batch is written at a time
 * (more only where the sink delivers nothing after a failure), and a lane with
 * a message to be retried waits, in this batch and in later ones.
 *
 * Threads: its own; the connector is called by no other, except wake().
 */
#include "sink.h"

#include <stdlib.h>

#include "clock.h"
#include "conclude.h"
#include "connection.h"
#include "handover.h"
#include "log.h"
#include "queue.h"
#include "show.h"

enum { TICK_US = 100 * 1000, CLOSE_US = 1000 * 1000 };

static void wake_connector(void *opaque)
{
    struct sink *sink = opaque;

    if (sink->config.ops && sink->config.ops->wake)
        sink->config.ops->wake(sink->self);
}

static void wake(void *opaque)
{
    sink_wake(opaque);
}

enum weir_status sink_init(struct sink *sink, const struct sink_config *config)
{
    *sink = (struct sink){.config = *config};
    queue_init(&sink->written);
    queue_init(&sink->held);
    settler_init(&sink->settler, config->run);
    sink->settler.batcher = config->batcher;
    sink->settler.is_of_letters = config->is_dead_letter;
    runner_init(&sink->runner, config->run, config->handler, config->options);
    sink->runner.place = config->place;
    sink->runner.places = config->places;
    sink->runner.of_batch =
        config->is_dead_letter ? JOURNAL_LETTER : JOURNAL_BATCH;
    failure_init(&sink->failure, config->run, config->ready, &sink->runner,
                 &sink->settler);
    sink->failure.batcher = config->batcher;
    sink->failure.limits = &sink->limits.retry;
    board_view_init(&sink->limits, config->batcher_index);
    (void)board_look(&config->run->board, &sink->limits);
    cause_init(&sink->cause);
    waiter_init(&sink->waiter, NULL, NULL);
    waiter_init(&sink->far_waiter, wake_connector, sink);
    controls_init(&sink->controls, wake, sink);
    sink->controls.changed = config->run->changed;
    sink->controls.changed_opaque = config->run->changed_opaque;
    if (config->ops)
        sink->self = calloc(1, config->ops->self_size + 1);
    return config->ops && !sink->self ? WEIR_RETRY : WEIR_OK;
}

void sink_finish(struct sink *sink)
{
    if (!sink->config.run)
        return;
    while (sink->lanes) {
        struct held_lane *lane = sink->lanes;

        sink->lanes = lane->next;
        free(lane);
    }
    heap_finish(&sink->retries);
    waiter_finish(&sink->waiter);
    waiter_finish(&sink->far_waiter);
    controls_finish(&sink->controls);
    cause_finish(&sink->cause);
    free(sink->self);
}

/* What may fail has somewhere to go; what has failed goes there in any case. */
static bool can_take(const struct sink *sink)
{
    return !sink->held.head && handover_is_possible(sink) &&
           (!sink->config.letters || !mailbox_is_full(sink->config.letters));
}

static void take_batch(struct sink *sink)
{
    struct mail *mail = mailbox_take(sink->config.box);

    if (!mail)
        return;
    sink->in_hand += mail->count;
    queue_add(&sink->held, batch_of(mail));
    sink->config.has_room(sink->config.has_room_opaque);
}

/* It will deliver nothing any more: the drain need not wait for it. */
static void leave_all(struct sink *sink)
{
    struct mail *mail = mailbox_take(sink->config.box);

    while (mail) {
        sink->in_hand += mail->count;
        queue_add(&sink->held, batch_of(mail));
        sink->config.has_room(sink->config.has_room_opaque);
        mail = mailbox_take(sink->config.box);
    }
    conclude_all(sink);
}

static void work(struct sink *sink)
{
    const int64_t now = clock_now_us();

    (void)board_look(&sink->config.run->board, &sink->limits);
    if (atomic_exchange_explicit(&sink->is_poked, false, memory_order_acq_rel))
        conclude_fence_all(sink);
    if (control_is_asked(&sink->controls, CONTROL_DRAIN))
        conclude_backoff(sink);
    conclude_due(sink, now);
    if (!sink->is_open && !sink->has_failed && now >= sink->retry_at_us)
        connection_open(sink);
    if (can_take(sink))
        take_batch(sink);
    if (sink->held.head && handover_is_possible(sink) &&
        now >= sink->retry_at_us)
        handover_begin(sink);
    handover_conclude(sink);
    if (sink->has_failed)
        leave_all(sink);
    conclude_failures(sink);
    runner_release(&sink->runner);
    show_hand(sink);
    settler_flush(&sink->settler);
    if (control_is_asked(&sink->controls, CONTROL_DESCRIBE))
        show_holdings(sink);
}

static int64_t next_deadline(const struct sink *sink)
{
    int64_t deadline = clock_after_us(TICK_US);
    const int64_t retry = heap_due_us(&sink->retries);
    const int64_t lane = lanes_due_us(sink);

    deadline = retry < deadline ? retry : deadline;
    deadline = lane < deadline ? lane : deadline;
    /* While it is full, what makes room ends the connector's wait. */
    if (((sink->held.head && !sink->is_full) || !sink->is_open) &&
        !sink->has_failed && sink->retry_at_us < deadline)
        deadline = sink->retry_at_us;
    return deadline;
}

static void serve_connector(struct sink *sink, uint32_t threshold)
{
    const struct weir_sink_ops *ops = sink->config.ops;
    const bool is_closing = control_is_asked(&sink->controls, CONTROL_CLOSE);
    struct weir_error err = {0};
    int64_t deadline = next_deadline(sink);
    enum weir_status status;

    if (!mailbox_arm(sink->config.box, &sink->far_waiter, threshold))
        deadline = clock_now_us();
    slot_enter(&sink->runner.slot, sink->written.head->messages[0]);
    if (is_closing && ops->flush)
        status = ops->flush(sink->self, deadline, &err);
    else
        status = ops->poll(sink->self, deadline, &err);
    slot_leave(&sink->runner.slot);
    mailbox_disarm(sink->config.box, &sink->far_waiter);
    sink->is_full = false;
    handover_conclude(sink);
    connection_answer_service(sink, status, &err);
}

/* Nothing is under way, but a connection wants to be kept alive, and one that
 * was lost is better known before there is something to write. */
static void tend_connector(struct sink *sink)
{
    const struct weir_sink_ops *ops = sink->config.ops;
    struct weir_error err = {0};

    if (sink->is_open && ops && ops->poll)
        connection_answer_service(
            sink, ops->poll(sink->self, clock_now_us(), &err), &err);
}

static void rest(struct sink *sink)
{
    const bool can_go_on = !sink->held.head && handover_is_possible(sink);
    const bool may_take = sink->has_failed || can_take(sink);
    const uint32_t threshold = may_take ? 1 : UINT32_MAX;

    if (sink->held.head && handover_is_possible(sink) &&
        clock_now_us() >= sink->retry_at_us)
        return;
    if (sink->written_count > 0) {
        serve_connector(sink, threshold);
        return;
    }
    if (can_go_on && !may_take)
        mailbox_wait_emptier(sink->config.letters, &sink->waiter,
                             next_deadline(sink));
    else
        mailbox_wait(sink->config.box, &sink->waiter, threshold,
                     next_deadline(sink));
    tend_connector(sink);
}

static bool is_over(struct sink *sink)
{
    return control_is_asked(&sink->controls, CONTROL_CLOSE) &&
           sink->in_hand == 0 && mailbox_count(sink->config.box) == 0;
}

static bool start(struct sink *sink)
{
    const struct weir_handler *handler = sink->config.handler;
    const bool needs_state =
        sink->config.is_dead_letter
            ? !sink->config.ops
            : handler->handle_batch || handler->handle_failed;
    enum weir_status status = WEIR_OK;

    if (needs_state)
        status = runner_start(&sink->runner, &sink->config.worker, &sink->err);
    /* Partner: the load in pipeline.c's start. */
    atomic_store_explicit(&sink->start, status == WEIR_OK ? 1 : -1,
                          memory_order_release);
    sink->config.started(sink->config.opaque);
    return status == WEIR_OK;
}

/* Nothing connects before every handler's init() was fine, and nothing does
 * when the run ends before that. */
static void wait_for_start(struct sink *sink)
{
    const struct run *run = sink->config.run;

    while (!atomic_load_explicit(&run->is_started, memory_order_acquire) &&
           !control_is_asked(&sink->controls, CONTROL_CLOSE) &&
           !run_is_aborting(run))
        mailbox_wait(sink->config.box, &sink->waiter, UINT32_MAX,
                     clock_after_us(TICK_US));
}

void *sink_main(void *opaque)
{
    struct sink *sink = opaque;
    struct run *run = sink->config.run;
    const struct log_place place = {.pipeline = run->name,
                                    .stage = "sink",
                                    .batcher = sink->config.batcher,
                                    .worker = sink->config.worker.index};
    int64_t deadline;

    log_set_place(&place);
    if (start(sink)) {
        wait_for_start(sink);
        while (!is_over(sink) && !run_is_aborting(run)) {
            work(sink);
            if (!is_over(sink))
                rest(sink);
        }
        conclude_all(sink);
    }
    deadline = control_deadline_us(&sink->controls, CONTROL_CLOSE);
    connection_close(sink, deadline > 0 ? deadline : clock_after_us(CLOSE_US));
    connection_set_down(sink, false);
    runner_stop(&sink->runner);
    atomic_store_explicit(&sink->is_over, true, memory_order_release);
    run->changed(run->changed_opaque);
    return NULL;
}

void sink_poke(struct sink *sink)
{
    /* Partner: the exchange in work(). */
    atomic_store_explicit(&sink->is_poked, true, memory_order_release);
    sink_wake(sink);
}

void sink_wake(struct sink *sink)
{
    mailbox_interrupt(sink->config.box);
    wake_connector(sink);
}
