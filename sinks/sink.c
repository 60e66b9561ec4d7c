/*
 * sink.c - the stage that delivers: M workers per batcher.
 *
 *     box --> held --write--> written --outcomes--> settled, failed, or again
 *              ^                                                        |
 *              +--- the destination is down: the whole batch -----------+
 *              +--- one message again, after its backoff ---------------+
 *
 * A destination that is down (a lost connection, a whole batch that answers
 * RETRY) is no message's fault: the batch is held without limit, attempts stay
 * as they are, the source stops when the pipeline is full. An outcome RETRY for
 * single messages is: those are tried again on their own, up to `attempts`.
 *
 * Invariants: every message is in one of box, held, written, retries, lanes; it
 * leaves with one settlement. In an ordered mode one batch is written at a time
 * (more only where the sink delivers nothing after a failure), and a lane with
 * a message to be retried waits, in this batch and in later ones.
 *
 * Reconnecting is done here, once for all connectors, with jitter and damping,
 * for ever.  A connector that failed for good is closed and opened anew in the
 * same way, on the restart budget of the pipeline.
 *
 * Threads: its own; the connector is called by no other, except wake().
 */
#include "sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "conclude.h"
#include "queue.h"

enum {
    TICK_US = 100 * 1000,
    CLOSE_US = 1000 * 1000,
    NO_MEMORY_US = 10 * 1000,
    NO_ROOM_US = 10 * 1000
};

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
    runner_init(&sink->runner, config->run, config->handler, config->options);
    failure_init(&sink->failure, config->run, config->ready, &sink->runner,
                 &sink->settler);
    sink->failure.batcher = config->batcher;
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
    free(sink->self);
}

/* ---- the connection ---- */

static void set_down(struct sink *sink, bool is_down)
{
    if (is_down != sink->is_down)
        atomic_fetch_add_explicit(&sink->config.run->down,
                                  is_down ? 1U : (unsigned)-1,
                                  memory_order_relaxed);
    sink->is_down = is_down;
    atomic_store_explicit(&sink->is_connected, !is_down && sink->is_open,
                          memory_order_relaxed);
}

static void give_up(struct sink *sink, const struct weir_error *err)
{
    struct run *run = sink->config.run;
    char why[400];

    (void)snprintf(why, sizeof why, "batcher %s: %s", sink->config.batcher,
                   err->text[0] ? err->text : "the sink gave up");
    sink->has_failed = true;
    run->end(run->end_opaque, RUN_END_GAVE_UP, why);
}

/* False: the restart budget is used up. */
static bool may_replace(struct sink *sink, const struct weir_error *err)
{
    struct run *run = sink->config.run;
    int64_t delay_us;
    char why[400];

    (void)snprintf(why, sizeof why, "batcher %s: %s", sink->config.batcher,
                   err->text[0] ? err->text : "the sink failed");
    delay_us = run->replace(run->end_opaque, why);
    sink->has_failed = delay_us < 0;
    sink->retry_at_us = clock_after_us(delay_us);
    return delay_us >= 0;
}

static void count_trouble(struct sink *sink)
{
    counter_add(&sink->config.run->counters.sink_retries, 1);
    if (sink->config.is_dead_letter)
        counter_add(&sink->config.run->counters.dead_letter_errors, 1);
}

static void say_down(struct sink *sink, const struct weir_error *err)
{
    unsigned suppressed = 0;

    set_down(sink, true);
    if (log_repeat_pass(&sink->trouble, err->text, &suppressed))
        log_write(WEIR_LOG_WARNING,
                  "batcher %s: %s; what was taken is held, trying again%s",
                  sink->config.batcher, err->text,
                  suppressed > 0 ? " (said every 10 s)" : "");
}

static void wait_for_destination(struct sink *sink,
                                 const struct weir_error *err)
{
    count_trouble(sink);
    say_down(sink, err);
}

static void close_connector(struct sink *sink, int64_t deadline_us)
{
    if (sink->is_open && sink->config.ops)
        sink->config.ops->close(sink->self, deadline_us);
    sink->is_open = false;
}

/* What the sink has and said nothing of comes back, before what is newer. */
static void take_back_written(struct sink *sink)
{
    struct weir_batch *batch = queue_pop(&sink->written);
    struct batch_queue left;

    queue_init(&left);
    while (batch) {
        conclude(sink, batch, &left);
        batch = queue_pop(&sink->written);
    }
    sink->written_count = 0;
    queue_join_front(&sink->held, &left);
}

/* What it has goes to what is opened in its place. */
static void replace(struct sink *sink, const struct weir_error *err)
{
    if (!may_replace(sink, err))
        return;
    close_connector(sink, clock_after_us(CLOSE_US));
    set_down(sink, true);
    take_back_written(sink);
}

static void open_connector(struct sink *sink)
{
    const struct weir_sink_ops *ops = sink->config.ops;
    struct weir_error err = {0};
    enum weir_status status = WEIR_OK;

    if (ops)
        status = ops->open(sink->self, sink->config.settings, &err);
    if (status == WEIR_OK) {
        sink->is_open = true;
        sink->is_full = false;
        reconnect_opened(&sink->reconnect);
        set_down(sink, false);
        sink->config.run->changed(sink->config.run->changed_opaque);
        return;
    }
    ops->close(sink->self, clock_after_us(CLOSE_US));
    if (status == WEIR_FATAL) {
        replace(sink, &err);
        return;
    }
    wait_for_destination(sink, &err);
    sink->retry_at_us = clock_after_us(reconnect_delay_us(&sink->reconnect));
}

static void disconnect(struct sink *sink, const struct weir_error *err)
{
    counter_add(&sink->config.run->counters.reconnects, 1);
    close_connector(sink, clock_after_us(CLOSE_US));
    wait_for_destination(sink, err);
    take_back_written(sink);
    sink->retry_at_us = clock_after_us(reconnect_delay_us(&sink->reconnect));
}

/* The client still has what was written, and tries by itself. */
static void wait_for_client(struct sink *sink, const struct weir_error *err)
{
    if (!sink->is_down)
        count_trouble(sink);
    say_down(sink, err);
}

/* What a call of the connector answered, other than what is normal for it. */
static void answer(struct sink *sink, enum weir_status status,
                   const struct weir_error *err)
{
    if (status == WEIR_OK || status == WEIR_AGAIN)
        return;
    if (status == WEIR_RETRY)
        disconnect(sink, err);
    else if (status == WEIR_HOLD)
        wait_for_client(sink, err);
    else if (status == WEIR_FATAL)
        replace(sink, err);
    else
        give_up(sink, err);
}

/* What poll() or flush() answered. */
static void answer_service(struct sink *sink, enum weir_status status,
                           const struct weir_error *err)
{
    if (status == WEIR_OK || status == WEIR_AGAIN)
        set_down(sink, false);
    answer(sink, status, err);
}

/* ---- writing ---- */

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
        wait_for_destination(sink, &err);
        sink->retry_at_us = clock_after_us(
            backoff_us(sink->config.run->backoff_min_us,
                       sink->config.run->backoff_max_us, ++sink->down_attempt));
        conclude_some(sink, batch);
        return;
    case WEIR_REJECT:
        conclude_missing(batch, WEIR_REJECT, NULL);
        break;
    case WEIR_FATAL:
        (void)weir_fail(&err, WEIR_FATAL, "handle_batch said WEIR_FATAL");
        give_up(sink, &err);
        conclude_some(sink, batch);
        return;
    default: /* the runner has noted what it answered */
        conclude_missing(batch, WEIR_REJECT, NULL);
        break;
    }
    sink->down_attempt = 0;
    set_down(sink, false);
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
    /* In front of it comes what was written before and is not over. */
    conclude_some(sink, batch);
    answer(sink, status, &err);
}

static void write_next(struct sink *sink)
{
    struct weir_batch *batch = queue_pop(&sink->held);

    if (sink->config.run->ordering != WEIR_ORDERING_NONE &&
        !lanes_split(sink, batch))
        return;
    if (!conclude_fence(sink, batch))
        return;
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
static void conclude_written(struct sink *sink)
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

/* ---- what to do next ---- */

static bool can_write(const struct sink *sink)
{
    return sink->is_open && !sink->is_full && !sink->has_failed &&
           sink->written_count < limit_of(sink);
}

/* What may fail has somewhere to go; what has failed goes there in any case. */
static bool can_take(const struct sink *sink)
{
    return !sink->held.head && can_write(sink) &&
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

static void describe(struct sink *sink)
{
    struct holdings holdings = {.retrying = sink->retries.count};
    const struct weir_batch *batch;

    for (batch = sink->written.head; batch; batch = batch->next)
        holdings.begun += batch->count;
    for (const struct held_lane *lane = sink->lanes; lane; lane = lane->next)
        holdings.retrying += lane->messages.count;
    holdings.waiting = sink->in_hand - holdings.begun - holdings.retrying;
    control_answer(&sink->controls, CONTROL_DESCRIBE, &holdings);
}

static void work(struct sink *sink)
{
    const int64_t now = clock_now_us();

    if (atomic_exchange_explicit(&sink->is_poked, false, memory_order_acq_rel))
        conclude_fence_all(sink);
    if (control_is_asked(&sink->controls, CONTROL_DRAIN))
        conclude_backoff(sink);
    conclude_due(sink, now);
    if (!sink->is_open && !sink->has_failed && now >= sink->retry_at_us)
        open_connector(sink);
    if (can_take(sink))
        take_batch(sink);
    if (sink->held.head && can_write(sink) && now >= sink->retry_at_us)
        write_next(sink);
    conclude_written(sink);
    if (sink->has_failed)
        leave_all(sink);
    conclude_failures(sink);
    runner_release(&sink->runner);
    slot_hold(&sink->runner.slot, sink->in_hand);
    settler_flush(&sink->settler);
    if (control_is_asked(&sink->controls, CONTROL_DESCRIBE))
        describe(sink);
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
    conclude_written(sink);
    answer_service(sink, status, &err);
}

/* Nothing is under way, but a connection wants to be kept alive, and one that
 * was lost is better known before there is something to write. */
static void tend_connector(struct sink *sink)
{
    const struct weir_sink_ops *ops = sink->config.ops;
    struct weir_error err = {0};

    if (sink->is_open && ops && ops->poll)
        answer_service(sink, ops->poll(sink->self, clock_now_us(), &err), &err);
}

static void rest(struct sink *sink)
{
    const bool can_go_on = !sink->held.head && can_write(sink);
    const bool may_take = sink->has_failed || can_take(sink);
    const uint32_t threshold = may_take ? 1 : UINT32_MAX;

    if (sink->held.head && can_write(sink) &&
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
    int64_t deadline;

    if (start(sink)) {
        wait_for_start(sink);
        while (!is_over(sink) && !run_is_aborting(run)) {
            work(sink);
            failure_remind(&sink->failure);
            if (!is_over(sink))
                rest(sink);
        }
        conclude_all(sink);
    }
    deadline = control_deadline_us(&sink->controls, CONTROL_CLOSE);
    close_connector(sink, deadline > 0 ? deadline : clock_after_us(CLOSE_US));
    set_down(sink, false);
    runner_stop(&sink->runner);
    failure_end(&sink->failure);
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
