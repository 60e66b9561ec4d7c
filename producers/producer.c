/*
 * producer.c - the stage that reads: one thread per instance.
 *
 *     open --> ( serve what came back | pull within demand | flush )* --> close
 *       ^                       |
 *       +-- backoff <-----------+  WEIR_RETRY: every epoch ends first; so it
 *                                  does for WEIR_FATAL, on the restart budget
 *
 * The connector is called on this thread only, so it needs no locks. While it
 * waits inside pull() its thread counts as asleep, and whoever posts enough
 * settlements, or makes room, wakes it by its wake().
 *
 * How many settlements are enough: a wake-up costs its maker 11 us. With little
 * in flight every settlement wakes, so that a slow stream is confirmed at once;
 * with much, a part of what is in flight, or SERVE_US, whichever is first.
 *
 * A rate limit makes the demand smaller, down to 0 until there is room for some
 * again: nothing is read then, and nothing buffered.
 *
 * A pause is a demand of 0, too, until it is withdrawn.
 *
 * A drain: the connector is told once; from then on demand is 0, and it is
 * polled so that it lives until everything came back. Then pull(0) goes on
 * until it says that the broker confirmed all, or the deadline. It is the last
 * to be asked to close, because what the others let go comes back to it.
 *
 * Threads: its own.
 */
#include "producer.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "telemetry.h"

enum {
    IDLE_US = 100 * 1000,
    SERVE_US = 2 * 1000,
    CONFIRM_US = 20 * 1000,
    CLOSE_US = 1000 * 1000,
    MAX_THRESHOLD = 256
};

static void wake_connector(void *opaque)
{
    struct producer *producer = opaque;

    producer->config.ops->wake(producer->self);
}

static void wake(void *opaque)
{
    struct producer *producer = opaque;

    mailbox_interrupt(&producer->intake.box);
    wake_connector(producer);
}

enum weir_status producer_init(struct producer *producer,
                               const struct producer_config *config)
{
    *producer = (struct producer){.config = *config};
    cause_init(&producer->cause);
    producer->self = calloc(1, config->ops->self_size + 1);
    controls_init(&producer->controls, wake, producer);
    producer->controls.changed = config->run->changed;
    producer->controls.changed_opaque = config->run->changed_opaque;
    intake_init(&producer->intake, config->run, config->ready, config->index,
                wake_connector, producer);
    producer->intake.ordering_key = config->ordering_key;
    producer->intake.can_hold = config->ops->hold != NULL;
    producer->intake.settle = config->ops->settle;
    producer->intake.describe = config->ops->describe;
    producer->intake.self = producer->self;
    return producer->self ? WEIR_OK : WEIR_RETRY;
}

void producer_finish(struct producer *producer)
{
    if (!producer->config.run)
        return;
    intake_finish(&producer->intake);
    controls_finish(&producer->controls);
    cause_finish(&producer->cause);
    free(producer->self);
}

static bool is_set(const _Atomic bool *flag)
{
    return atomic_load_explicit(flag, memory_order_acquire);
}

static void set(struct producer *producer, _Atomic bool *flag, bool value)
{
    struct run *run = producer->config.run;

    if (is_set(flag) == value)
        return;
    atomic_store_explicit(flag, value, memory_order_release);
    run->changed(run->changed_opaque);
}

/* ---- the connection ---- */

static void give_up(struct producer *producer, const struct weir_error *err)
{
    struct run *run = producer->config.run;
    char why[400];

    (void)snprintf(why, sizeof why, "producer %s: %s",
                   producer->config.ops->name,
                   err->text[0] ? err->text : "gave up");
    producer->has_failed = true;
    run->end(run->end_opaque, RUN_END_GAVE_UP, why);
}

/* Where what the connector answers changes nothing any more. */
static void serve_only(struct producer *producer)
{
    struct weir_error err = {0};

    if (intake_serve(&producer->intake, &err) != WEIR_OK)
        producer->has_failed = true;
}

/* Books what comes back until `until_us`, while there is no connection. */
static void serve_until(struct producer *producer, int64_t until_us)
{
    struct weir_intake *intake = &producer->intake;

    while (clock_now_us() < until_us &&
           !control_is_asked(&producer->controls, CONTROL_CLOSE)) {
        mailbox_wait(&intake->box, &intake->plain_waiter, 1, until_us);
        serve_only(producer);
        if (control_is_asked(&producer->controls, CONTROL_DRAIN))
            control_answer(&producer->controls, CONTROL_DRAIN, NULL);
    }
}

static void say_trouble(struct producer *producer, const char *why)
{
    unsigned suppressed = 0;

    if (log_repeat_pass(&producer->trouble, why, &suppressed))
        log_write(WEIR_LOG_WARNING, "producer %s: %s; trying again%s",
                  producer->config.ops->name, why,
                  suppressed > 0 ? " (said every 10 s)" : "");
}

static struct weir_telemetry_event event_of(const struct producer *producer)
{
    return (struct weir_telemetry_event){.kind = WEIR_TELEMETRY_PRODUCER,
                                         .worker = producer->config.index};
}

/* `err` NULL: it was meant to end. */
static void tell_closed(struct producer *producer, const struct weir_error *err)
{
    const struct weir_telemetry_event event = event_of(producer);

    telemetry_stop(producer->config.run, &event, producer->told_us,
                   err ? err->text : NULL);
    producer->told_us = 0;
}

static void tell_opened(struct producer *producer)
{
    const struct weir_telemetry_event event = event_of(producer);

    producer->told_us = telemetry_start(producer->config.run, &event);
}

static void tell_not_opened(const struct producer *producer,
                            const struct weir_error *err)
{
    struct weir_telemetry_event event = event_of(producer);

    if (!telemetry_wants(producer->config.run, event.kind))
        return;
    event.phase = WEIR_TELEMETRY_EXCEPTION;
    event.now_us = clock_now_us();
    event.reason = err->text;
    telemetry_emit(producer->config.run, &event);
}

static void disconnect(struct producer *producer, const struct weir_error *err,
                       int64_t deadline_us)
{
    const struct weir_producer_ops *ops = producer->config.ops;
    const bool was_open = is_set(&producer->is_open);

    set(producer, &producer->is_open, false);
    weir_intake_set_impediment(&producer->intake, NULL);
    ops->close(producer->self, deadline_us);
    intake_end_all(&producer->intake);
    tell_closed(producer, err);
    if (!err)
        return;
    counter_add(&producer->config.run->counters.reconnects, 1);
    cause_tell(&producer->cause, err->text);
    /* That a drain interrupts an attempt to connect is no trouble. */
    if (was_open || !control_is_asked(&producer->controls, CONTROL_DRAIN))
        say_trouble(producer, err->text);
    serve_until(producer,
                clock_after_us(reconnect_delay_us(&producer->reconnect)));
}

/* It is closed, and opened anew after a while, on the budget of the whole
 * pipeline.  A source that can't be asked again would lose what is in flight:
 * there the run ends, and finishes that. */
static void replace(struct producer *producer, const struct weir_error *err)
{
    const struct weir_producer_ops *ops = producer->config.ops;
    struct run *run = producer->config.run;
    int64_t delay_us;
    char why[400];

    if (ops->backlog == WEIR_BACKLOG_FINISH) {
        give_up(producer, err);
        return;
    }
    (void)snprintf(why, sizeof why, "producer %s: %s", ops->name,
                   err->text[0] ? err->text : "failed");
    delay_us = run->replace(run->end_opaque, why);
    if (delay_us < 0) {
        producer->has_failed = true;
        return;
    }
    cause_tell(&producer->cause, err->text);
    tell_closed(producer, err);
    disconnect(producer, NULL, clock_after_us(CLOSE_US));
    serve_until(producer, clock_after_us(delay_us));
}

static void fail(struct producer *producer, enum weir_status status,
                 const struct weir_error *err)
{
    if (status == WEIR_RETRY)
        disconnect(producer, err, clock_after_us(CLOSE_US));
    else if (status == WEIR_FATAL)
        replace(producer, err);
    else
        give_up(producer, err);
}

static void connect(struct producer *producer)
{
    const struct weir_producer_ops *ops = producer->config.ops;
    struct weir_error err = {0};
    const enum weir_status status =
        ops->open(producer->self, producer->config.settings, &err);

    if (status == WEIR_OK) {
        reconnect_opened(&producer->reconnect);
        producer->has_drained = false;
        set(producer, &producer->is_open, true);
        tell_opened(producer);
        return;
    }
    tell_not_opened(producer, &err);
    fail(producer, status, &err);
    if (producer->has_failed) /* and is not closed by the end */
        disconnect(producer, NULL, clock_after_us(CLOSE_US));
}

/* The broker has confirmed everything.  At its end a source is closed at once:
 * a member that is not polled any more would hold up its whole group.  In a
 * drain there may be more to confirm. */
static void end_source(struct producer *producer)
{
    struct weir_intake *intake = &producer->intake;

    if (producer->has_drained) {
        mailbox_wait(&intake->box, &intake->plain_waiter, 1,
                     clock_after_us(CONFIRM_US));
        return;
    }
    disconnect(producer, NULL, clock_after_us(CLOSE_US));
    set(producer, &producer->is_at_end, true);
}

/* What a call of the connector answered, other than what is normal for it. */
static void answer(struct producer *producer, enum weir_status status,
                   const struct weir_error *err)
{
    switch (status) {
    case WEIR_OK:
    case WEIR_AGAIN:
    case WEIR_HOLD:
        return;
    case WEIR_DONE:
        end_source(producer);
        return;
    default:
        fail(producer, status, err);
        return;
    }
}

/* ---- one round ---- */

static uint32_t threshold_of(const struct producer *producer)
{
    const uint64_t open = producer->intake.books.in_flight / 2;

    if (control_is_asked(&producer->controls, CONTROL_DRAIN))
        return 1;
    return open < 1 ? 1 : open < MAX_THRESHOLD ? (uint32_t)open : MAX_THRESHOLD;
}

static uint32_t demand_of(struct producer *producer)
{
    struct weir_intake *intake = &producer->intake;
    uint32_t demand;

    if (producer->has_drained ||
        control_is_asked(&producer->controls, CONTROL_PAUSE))
        return 0;
    demand = intake_demand(intake);
    if (demand > 0)
        return demand;
    ready_want_room(producer->config.ready, producer->config.index);
    return intake_demand(intake); /* room that came before we asked for it */
}

/* What the rate allows of `demand`; where it is nothing, the wait ends when it
 * allows something again. */
static uint32_t limited(struct producer *producer, uint32_t demand,
                        int64_t *deadline)
{
    const struct producer_config *config = &producer->config;
    int64_t due = CLOCK_NEVER_US;

    if (demand == 0 || !rate_is_limited(config->rate))
        return demand;
    demand = rate_allow(config->rate, config->index, demand, &due);
    if (due < *deadline)
        *deadline = due;
    return demand;
}

/* For people: nothing is read without a reason. */
static void show_limit(struct producer *producer, uint32_t allowed,
                       uint32_t demand)
{
    const struct run *run = producer->config.run;
    enum producer_limit limit = PRODUCER_READS;

    if (producer->has_drained)
        limit = PRODUCER_DRAINS;
    else if (control_is_asked(&producer->controls, CONTROL_PAUSE))
        limit = PRODUCER_PAUSED;
    else if (allowed > 0 && demand == 0)
        limit = PRODUCER_RATE;
    else if (allowed == 0 &&
             atomic_load_explicit(&run->flood.is_stopped, memory_order_relaxed))
        limit = PRODUCER_FLOOD;
    else if (allowed == 0)
        limit =
            budget_has_room(&run->budget, 0) ? PRODUCER_FULL : PRODUCER_MEMORY;
    atomic_store_explicit(&producer->limit, (int)limit, memory_order_relaxed);
}

static enum weir_status pull(struct producer *producer, struct weir_error *err)
{
    const struct producer_config *config = &producer->config;
    struct weir_intake *intake = &producer->intake;
    const bool is_idle = intake->books.in_flight == 0;
    int64_t deadline = clock_after_us(is_idle ? IDLE_US : SERVE_US);
    bool is_counted;
    const uint32_t allowed =
        flood_take(&config->run->flood, config->run->home_count,
                   demand_of(producer), &is_counted);
    const uint32_t demand = limited(producer, allowed, &deadline);
    enum weir_status status;

    show_limit(producer, allowed, demand);
    if (!mailbox_arm(&intake->box, &intake->waiter, threshold_of(producer)))
        deadline = clock_now_us();
    status = config->ops->pull(producer->self, intake, demand, deadline, err);
    mailbox_disarm(&intake->box, &intake->waiter);
    if (is_counted && intake->offered < allowed)
        flood_give(&config->run->flood, allowed - intake->offered);
    if (intake->offered > 0 && rate_is_limited(config->rate))
        rate_charge(config->rate, config->index, intake->offered,
                    intake->offered_bytes);
    intake_flush(intake);
    return status;
}

static void drain_once(struct producer *producer)
{
    if (!producer->has_drained) {
        producer->config.ops->drain(producer->self);
        producer->has_drained = true;
    }
    control_answer(&producer->controls, CONTROL_DRAIN, NULL);
}

static void work(struct producer *producer)
{
    struct weir_intake *intake = &producer->intake;
    struct weir_error err = {0};
    enum weir_status status = intake_serve(intake, &err);

    if (status == WEIR_OK &&
        control_is_asked(&producer->controls, CONTROL_DRAIN))
        drain_once(producer);
    survey_publish(intake);
    if (status == WEIR_OK && intake->can_hold) {
        intake_hold(intake, producer->config.ops->hold);
        intake_release(intake, producer->config.ops->release);
    }
    if (status == WEIR_OK)
        status = pull(producer, &err);
    answer(producer, status, &err);
}

/* The source is at its end, beyond repair, or gone while we drain: only what
 * is in flight matters. */
static bool has_nothing_to_read(const struct producer *producer)
{
    return producer->has_failed || is_set(&producer->is_at_end) ||
           (control_is_asked(&producer->controls, CONTROL_DRAIN) &&
            !is_set(&producer->is_open));
}

static void wait_for_end(struct producer *producer)
{
    struct weir_intake *intake = &producer->intake;

    serve_only(producer);
    if (control_is_asked(&producer->controls, CONTROL_DRAIN))
        control_answer(&producer->controls, CONTROL_DRAIN, NULL);
    mailbox_wait(&intake->box, &intake->plain_waiter, 1,
                 clock_after_us(IDLE_US));
}

/* Everything came back: the broker is to confirm what it was told. */
static void confirm(struct producer *producer, int64_t deadline_us)
{
    struct weir_error err = {0};
    enum weir_status status = intake_serve(&producer->intake, &err);

    while (status != WEIR_DONE && status != WEIR_RETRY &&
           status != WEIR_FATAL && clock_now_us() < deadline_us) {
        const int64_t next = clock_after_us(CONFIRM_US);

        status = producer->config.ops->pull(
            producer->self, &producer->intake, 0,
            next < deadline_us ? next : deadline_us, &err);
    }
    if (status != WEIR_DONE)
        log_write(WEIR_LOG_WARNING,
                  "producer %s: the end was not confirmed%s%s; what was done "
                  "may be delivered again",
                  producer->config.ops->name, err.text[0] ? ": " : "",
                  err.text);
}

void producer_book_late(struct producer *producer)
{
    serve_only(producer);
}

/* Nothing more of a pull() of the round before is under way. */
static void begin_round(struct producer *producer)
{
    atomic_store_explicit(&producer->round_us, clock_now_us(),
                          memory_order_relaxed);
    if (control_is_asked(&producer->controls, CONTROL_PAUSE))
        control_answer(&producer->controls, CONTROL_PAUSE, NULL);
}

void *producer_main(void *opaque)
{
    struct producer *producer = opaque;
    struct run *run = producer->config.run;
    const struct log_place place = {.pipeline = run->name,
                                    .stage = "producer",
                                    .worker = producer->config.index};
    int64_t deadline;

    log_set_place(&place);
    while (!control_is_asked(&producer->controls, CONTROL_CLOSE)) {
        begin_round(producer);
        if (has_nothing_to_read(producer))
            wait_for_end(producer);
        else if (is_set(&producer->is_open))
            work(producer);
        else
            connect(producer);
    }
    deadline = control_deadline_us(&producer->controls, CONTROL_CLOSE);
    if (is_set(&producer->is_open)) {
        drain_once(producer);
        if (producer->has_failed)
            serve_only(producer); /* what came back before it is closed */
        else
            confirm(producer, deadline);
        disconnect(producer, NULL, deadline);
    }
    serve_only(producer);
    control_answer(&producer->controls, CONTROL_DRAIN, NULL);
    atomic_store_explicit(&producer->is_over, true, memory_order_release);
    run->changed(run->changed_opaque);
    return NULL;
}
