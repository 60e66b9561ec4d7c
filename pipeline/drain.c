/*
 * drain.c - how a run ends, in order and in time.
 *
 *     1  producers take in no more; what waits for a retry is abandoned
 *     2  processors finish what was begun; what was not begun is abandoned
 *        (Kafka), finished for half of the time (AMQP), or finished (standard
 *        input, and with --until-end)
 *     3  batchers close every batch
 *     4  sinks deliver and flush
 *     5  the batcher `dead_letter` and its sink likewise: until now something
 *        may have failed
 *     6  producers settle, confirm, close
 *
 * One deadline for all of it.  When it comes, what is left is abandoned: it is
 * let go, never acknowledged, so the broker delivers it again.  A thread that
 * is still in foreign code then is named, and counted with what it has in hand.
 *
 * The order is that of the data, so each step waits for a stage that nobody
 * feeds any more: when it is empty, it stays empty.
 *
 * Threads: the one that runs the pipeline.
 */
#include "assembly.h"

#include "clock.h"

enum { TICK_US = 50 * 1000 };

/* What the last steps (letting go, closing) get of a timeout. */
static int64_t reserve_us(int64_t timeout_us)
{
    return timeout_us / 5 < CLOCK_SECOND_US ? timeout_us / 5 : CLOCK_SECOND_US;
}

struct drain {
    struct pipeline *pipeline;
    struct settler settler;
    int64_t soft_us, hard_us; /* let go from here on; over by then */
    int64_t half_us;
    bool finishes_all; /* nothing that waits is given back */
};

static bool wait_until(struct drain *drain,
                       bool (*is_true)(struct pipeline *pipeline),
                       int64_t deadline_us)
{
    while (!is_true(drain->pipeline)) {
        const int64_t now = clock_now_us();

        if (now >= deadline_us)
            return false;
        watch(drain->pipeline);
        pipeline_wait(drain->pipeline, now + TICK_US < deadline_us
                                           ? now + TICK_US
                                           : deadline_us);
    }
    return true;
}

static bool is_set(const _Atomic bool *flag)
{
    return atomic_load_explicit(flag, memory_order_acquire);
}

static void set(_Atomic bool *flag)
{
    atomic_store_explicit(flag, true, memory_order_release);
}

/* ---- what each step waits for ---- */

static bool producers_are_quiet(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->producers_up; i++) {
        if (!control_is_answered(&pipeline->producers[i].controls,
                                 CONTROL_DRAIN, NULL) &&
            !is_set(&pipeline->producers[i].is_over))
            return false;
    }
    return true;
}

static bool nothing_is_ready(struct pipeline *pipeline)
{
    struct ready_view view;

    ready_look(pipeline->ready, &view);
    return view.waiting + view.delayed + view.in_hand == 0;
}

static bool processors_are_over(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->processors_up; i++) {
        if (!is_set(&pipeline->processors[i].is_over))
            return false;
    }
    return true;
}

/* Those that run, without the ones of `dead_letter`, which are the last. */
static unsigned ordinary_batchers(const struct pipeline *pipeline)
{
    const unsigned routable = (unsigned)topology_routable(pipeline->topology);

    return pipeline->batchers_up < routable ? pipeline->batchers_up : routable;
}

static unsigned ordinary_sinks(const struct pipeline *pipeline)
{
    unsigned count = 0;

    while (count < pipeline->sinks_up &&
           !pipeline->sinks[count].config.is_dead_letter)
        count++;
    return count;
}

static bool are_over(const struct batcher *batchers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!is_set(&batchers[i].is_over))
            return false;
    }
    return true;
}

static bool ordinary_batchers_are_over(struct pipeline *pipeline)
{
    return are_over(pipeline->batchers, ordinary_batchers(pipeline));
}

static bool batchers_are_over(struct pipeline *pipeline)
{
    return are_over(pipeline->batchers, pipeline->batchers_up);
}

static bool are_sinks_over(const struct sink *sinks, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!is_set(&sinks[i].is_over))
            return false;
    }
    return true;
}

static bool ordinary_sinks_are_over(struct pipeline *pipeline)
{
    return are_sinks_over(pipeline->sinks, ordinary_sinks(pipeline));
}

static bool sinks_are_over(struct pipeline *pipeline)
{
    return are_sinks_over(pipeline->sinks, pipeline->sinks_up);
}

static bool workers_are_over(struct pipeline *pipeline)
{
    return processors_are_over(pipeline) && sinks_are_over(pipeline);
}

static bool producers_are_over(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->producers_up; i++) {
        if (!is_set(&pipeline->producers[i].is_over))
            return false;
    }
    return true;
}

static bool all_are_over(struct pipeline *pipeline)
{
    return processors_are_over(pipeline) && batchers_are_over(pipeline) &&
           sinks_are_over(pipeline) && producers_are_over(pipeline);
}

/* ---- the steps ---- */

static void leave(struct drain *drain, struct mail_list *spans)
{
    struct mail *mail = mail_list_pop(spans);

    while (mail) {
        struct weir_message *span = message_of(mail);
        const uint32_t count = mail->count;

        for (uint32_t i = 0; i < count; i++)
            settle(&drain->settler, &span[i], ENDING_LEFT);
        mail = mail_list_pop(spans);
    }
    settler_flush(&drain->settler);
}

static bool is_any(const struct weir_message *msg, const void *opaque)
{
    (void)msg;
    (void)opaque;
    return true;
}

static void abandon_waiting(struct drain *drain)
{
    struct mail_list left;

    mail_list_init(&left);
    set(&drain->pipeline->run.is_abandoning);
    ready_sift(drain->pipeline->ready, is_any, NULL, &left);
    leave(drain, &left);
}

static void ask_batchers(struct drain *drain, unsigned first, unsigned end,
                         int64_t deadline_us)
{
    for (unsigned i = first; i < end; i++)
        control_ask(&drain->pipeline->batchers[i].controls, CONTROL_CLOSE,
                    deadline_us);
}

static void ask_sinks(struct drain *drain, unsigned first, unsigned end,
                      enum control control)
{
    for (unsigned i = first; i < end; i++)
        control_ask(&drain->pipeline->sinks[i].controls, control,
                    control == CONTROL_CLOSE ? drain->hard_us : drain->soft_us);
}

static void stop_sources(struct drain *drain)
{
    struct pipeline *pipeline = drain->pipeline;
    struct mail_list left;

    set(&pipeline->run.is_draining);
    for (unsigned i = 0; i < pipeline->producers_up; i++) {
        control_ask(&pipeline->producers[i].controls, CONTROL_DRAIN,
                    drain->soft_us);
    }
    ask_sinks(drain, 0, ordinary_sinks(pipeline), CONTROL_DRAIN);
    (void)wait_until(drain, producers_are_quiet, drain->soft_us);
    mail_list_init(&left);
    ready_abandon_backoff(pipeline->ready, &left);
    leave(drain, &left);
}

static bool finish_processors(struct drain *drain)
{
    struct pipeline *pipeline = drain->pipeline;
    const enum weir_backlog backlog = pipeline->topology->producer.ops->backlog;
    int64_t until = drain->soft_us;

    if (!drain->finishes_all && backlog == WEIR_BACKLOG_ABANDON)
        abandon_waiting(drain);
    else if (!drain->finishes_all && backlog == WEIR_BACKLOG_HALF)
        until = drain->half_us;
    if (!wait_until(drain, nothing_is_ready, until))
        abandon_waiting(drain);
    ready_close(pipeline->ready);
    return wait_until(drain, processors_are_over, drain->soft_us);
}

/* What the ordinary batchers have, to its destination. */
static bool finish_batchers(struct drain *drain)
{
    struct pipeline *pipeline = drain->pipeline;

    ask_batchers(drain, 0, ordinary_batchers(pipeline), drain->soft_us);
    if (!wait_until(drain, ordinary_batchers_are_over, drain->soft_us))
        return false;
    ask_sinks(drain, 0, ordinary_sinks(pipeline), CONTROL_CLOSE);
    return wait_until(drain, ordinary_sinks_are_over, drain->soft_us);
}

/* Nothing can fail any more. */
static bool finish_dead_letters(struct drain *drain)
{
    struct pipeline *pipeline = drain->pipeline;
    const unsigned first = ordinary_sinks(pipeline);

    ask_sinks(drain, first, pipeline->sinks_up, CONTROL_DRAIN);
    ask_batchers(drain, ordinary_batchers(pipeline), pipeline->batchers_up,
                 drain->soft_us);
    if (!wait_until(drain, batchers_are_over, drain->soft_us))
        return false;
    ask_sinks(drain, first, pipeline->sinks_up, CONTROL_CLOSE);
    return wait_until(drain, sinks_are_over, drain->soft_us);
}

static void close_producers(struct drain *drain)
{
    /* It has to be over by then, too. */
    const int64_t deadline_us =
        drain->hard_us - (drain->hard_us - drain->soft_us) / 4;

    for (unsigned i = 0; i < drain->pipeline->producers_up; i++)
        control_ask(&drain->pipeline->producers[i].controls, CONTROL_CLOSE,
                    deadline_us);
}

/* ---- the deadline ---- */

static void empty_box(struct drain *drain, struct mailbox *box)
{
    struct mail *mail = mailbox_take(box);

    while (mail) {
        struct weir_batch *batch = batch_of(mail);

        for (uint32_t i = 0; i < batch->count; i++)
            settle(&drain->settler, batch->messages[i], ENDING_LEFT);
        batch_destroy(batch);
        mail = mailbox_take(box);
    }
}

/* What a stuck sink will not take, and its batcher has left; and what was on
 * its way to that batcher. */
static void empty_boxes(struct drain *drain)
{
    struct pipeline *pipeline = drain->pipeline;

    for (unsigned i = 0; i < pipeline->batchers_up; i++) {
        struct batcher *batcher = &pipeline->batchers[i];
        struct mail_list waiting;

        mail_list_init(&waiting);
        if (is_set(&batcher->is_over))
            mailbox_take_all(&batcher->inbox, &waiting);
        leave(drain, &waiting);
        for (unsigned box = 0; box < batcher->box_count; box++)
            empty_box(drain, &batcher->boxes[box]);
    }
    settler_flush(&drain->settler);
}

static void name_stuck(struct pipeline *pipeline, const char *stage,
                       unsigned index, const struct slot *slot)
{
    const struct origin *origin =
        atomic_load_explicit(&slot->origin, memory_order_acquire);

    pipeline->left_in_hands +=
        atomic_load_explicit(&slot->held, memory_order_relaxed);
    if (origin)
        log_write(WEIR_LOG_ERROR,
                  "%s %u is stuck at the deadline with %s[%d]@%lld", stage,
                  index, origin->topic, (int)origin->partition,
                  (long long)atomic_load_explicit(&slot->position,
                                                  memory_order_relaxed));
    else
        log_write(WEIR_LOG_ERROR, "%s %u is stuck at the deadline", stage,
                  index);
}

static void name_all_stuck(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->processors_up; i++) {
        if (!is_set(&pipeline->processors[i].is_over))
            name_stuck(pipeline, "processor", i,
                       &pipeline->processors[i].runner.slot);
    }
    for (unsigned i = 0; i < pipeline->sinks_up; i++) {
        if (!is_set(&pipeline->sinks[i].is_over))
            name_stuck(pipeline, "sink worker", i,
                       &pipeline->sinks[i].runner.slot);
    }
    for (unsigned i = 0; i < pipeline->producers_up; i++) {
        if (!is_set(&pipeline->producers[i].is_over))
            log_write(WEIR_LOG_ERROR, "producer %u is stuck at the deadline",
                      i);
    }
}

static void let_go(struct drain *drain)
{
    struct pipeline *pipeline = drain->pipeline;
    const int64_t part = (drain->soft_us + drain->hard_us) / 2;

    pipeline->is_late = true;
    abandon_waiting(drain);
    ready_close(pipeline->ready);
    set(&pipeline->run.is_aborting);
    ask_batchers(drain, 0, pipeline->batchers_up, drain->hard_us);
    ask_sinks(drain, 0, pipeline->sinks_up, CONTROL_CLOSE);
    (void)wait_until(drain, batchers_are_over, drain->hard_us);
    empty_boxes(drain);
    (void)wait_until(drain, workers_are_over, part);
    empty_boxes(drain);
}

void drain(struct pipeline *pipeline)
{
    const int64_t timeout = pipeline_tuned(pipeline, TUNING_SHUTDOWN);
    const int64_t now = clock_now_us();
    struct drain drain = {.pipeline = pipeline,
                          .hard_us = now + timeout,
                          .soft_us = now + timeout - reserve_us(timeout),
                          .half_us = now + timeout / 2};

    crew_release(&pipeline->crew); /* who rests helps, too */
    settler_init(&drain.settler, &pipeline->run);
    drain.finishes_all = pipeline->topology->until_end;
    stop_sources(&drain);
    if (!finish_processors(&drain) || !finish_batchers(&drain) ||
        !finish_dead_letters(&drain))
        let_go(&drain);
    close_producers(&drain);
    pipeline->is_stuck = !wait_until(&drain, all_are_over, drain.hard_us);
    if (pipeline->is_stuck)
        name_all_stuck(pipeline);
    else
        empty_boxes(&drain);
}

bool drain_again(struct pipeline *pipeline)
{
    struct drain drain = {.pipeline = pipeline};

    if (!all_are_over(pipeline))
        return false;
    settler_init(&drain.settler, &pipeline->run);
    empty_boxes(&drain);
    pipeline->is_stuck = false;
    return true;
}
