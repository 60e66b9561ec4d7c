/*
 * watch.c - looks at a run from outside, ten times a second.
 *
 * A worker that stays in one callback longer than `processors.timeout` is said
 * once, with its message and, in the command, its stack; the others go on.  The
 * time counts from the first look that saw the callback, so it is a look late
 * at most, and workers pay one store per message for it.
 *
 * A message that no stage has and no producer got back is a bug of ours, or of
 * a connector.  Where nothing moves for LEAK_US and every stage is empty while
 * tickets are open, the run ends and says so, rather than wait for ever.
 *
 * Whether too many messages fail (flow/flood.c) is judged here, too.
 *
 * Threads: the one that runs the pipeline; reads published slots and
 * counters, and asks stages by their controls.
 */
#include "assembly.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"

enum { LEAK_US = 2 * 1000 * 1000, ANSWER_US = 1000 * 1000 };

static void say_stuck(struct pipeline *pipeline, const struct slot *slot,
                      const struct origin *origin, int64_t for_us)
{
    const long tid = atomic_load_explicit(&slot->tid, memory_order_relaxed);
    const int64_t position =
        atomic_load_explicit(&slot->position, memory_order_relaxed);
    const struct log_field fields[] = {
        {.name = "topic", .text = origin->topic},
        {.name = "partition", .number = origin->partition},
        {.name = "offset", .number = position},
    };

    counter_add(&pipeline->run.counters.handler_stuck, 1);
    log_event(
        &(struct log_event){.level = WEIR_LOG_WARNING,
                            .fields = fields,
                            .field_count = sizeof fields / sizeof *fields},
        "a callback runs for %.1f s on %s[%d]@%lld (thread %ld), longer "
        "than processors.timeout",
        (double)for_us / CLOCK_SECOND_US, origin->topic, (int)origin->partition,
        (long long)position, tid);
    if (pipeline->options.show_stack)
        pipeline->options.show_stack(tid);
}

static void watch_slot(struct pipeline *pipeline, const struct slot *slot,
                       struct watched *watched, int64_t now)
{
    const int64_t timeout = pipeline_tuned(pipeline, TUNING_TIMEOUT);
    const struct origin *origin =
        atomic_load_explicit(&slot->origin, memory_order_acquire);
    const uint64_t serial =
        atomic_load_explicit(&slot->serial, memory_order_relaxed);
    int64_t since_us;

    if (!origin || serial != watched->serial) {
        watched->serial = serial;
        atomic_store_explicit(&watched->since_us, now, memory_order_relaxed);
        /* Partner: inspect.c, which shows the time with its callback. */
        atomic_store_explicit(&watched->shown_serial, serial,
                              memory_order_release);
        watched->is_said = false;
        return;
    }
    since_us = atomic_load_explicit(&watched->since_us, memory_order_relaxed);
    if (timeout == 0 || watched->is_said || now - since_us < timeout)
        return;
    watched->is_said = true;
    say_stuck(pipeline, slot, origin, now - since_us);
}

/* Asks every batcher and sink worker what it holds. */
static void ask_all(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->batchers_up; i++)
        control_ask(&pipeline->batchers[i].controls, CONTROL_DESCRIBE, 0);
    for (unsigned i = 0; i < pipeline->sinks_up; i++)
        control_ask(&pipeline->sinks[i].controls, CONTROL_DESCRIBE, 0);
}

/* False: it holds something, or does not answer: it may hold something. */
static bool holds_nothing(struct controls *controls,
                          const _Atomic bool *is_over)
{
    struct holdings holdings;

    if (atomic_load_explicit(is_over, memory_order_acquire))
        return true;
    return control_is_answered(controls, CONTROL_DESCRIBE, &holdings) &&
           holdings.waiting + holdings.begun + holdings.retrying == 0;
}

static bool has_answered(struct controls *controls, const _Atomic bool *is_over)
{
    return atomic_load_explicit(is_over, memory_order_acquire) ||
           control_is_answered(controls, CONTROL_DESCRIBE, NULL);
}

static bool all_have_answered(struct pipeline *pipeline)
{
    bool is_true = true;

    for (unsigned i = 0; i < pipeline->batchers_up; i++)
        is_true = is_true && has_answered(&pipeline->batchers[i].controls,
                                          &pipeline->batchers[i].is_over);
    for (unsigned i = 0; i < pipeline->sinks_up; i++)
        is_true = is_true && has_answered(&pipeline->sinks[i].controls,
                                          &pipeline->sinks[i].is_over);
    return is_true;
}

static bool stages_are_empty(struct pipeline *pipeline)
{
    struct ready_view view;
    bool is_empty;

    ready_look(pipeline->ready, &view);
    is_empty = view.waiting + view.delayed + view.in_hand == 0;
    for (unsigned i = 0; i < pipeline->batchers_up; i++)
        is_empty = is_empty && holds_nothing(&pipeline->batchers[i].controls,
                                             &pipeline->batchers[i].is_over);
    for (unsigned i = 0; i < pipeline->sinks_up; i++)
        is_empty = is_empty && holds_nothing(&pipeline->sinks[i].controls,
                                             &pipeline->sinks[i].is_over);
    /* A producer that connects, or waits in its client, serves them later. */
    for (unsigned i = 0; i < pipeline->run.home_count; i++)
        is_empty = is_empty && mailbox_count(pipeline->run.homes[i]) == 0;
    return is_empty;
}

static void watch_leak(struct pipeline *pipeline, int64_t now)
{
    struct weir_ledger ledger;

    pipeline_ledger(pipeline, &ledger);
    if (ledger.in_flight == 0 ||
        memcmp(&ledger, &pipeline->last_ledger, sizeof ledger) != 0) {
        pipeline->last_ledger = ledger;
        pipeline->still_since_us = now;
        pipeline->has_asked = false;
        pipeline->empty_rounds = 0;
        return;
    }
    if (now - pipeline->still_since_us < LEAK_US)
        return;
    if (!pipeline->has_asked) {
        pipeline->has_asked = true;
        pipeline->asked_us = now;
        ask_all(pipeline);
        return;
    }
    /* The first answer wakes us: the others need a moment more. */
    if (now - pipeline->asked_us < ANSWER_US && !all_have_answered(pipeline))
        return;
    pipeline->has_asked = false;
    if (!stages_are_empty(pipeline)) {
        pipeline->still_since_us = now; /* once more, later */
        pipeline->empty_rounds = 0;
        return;
    }
    /* Twice: in one round it may have gone from one that has not answered to
     * one that has. */
    if (++pipeline->empty_rounds == 2)
        pipeline->run.end(pipeline, RUN_END_LEAK,
                          "open messages that no stage has");
}

static void watch_end(struct pipeline *pipeline)
{
    for (unsigned i = 0; i < pipeline->producers_up; i++) {
        if (!atomic_load_explicit(&pipeline->producers[i].is_at_end,
                                  memory_order_acquire))
            return;
    }
    if (pipeline->producers_up > 0)
        pipeline->run.end(pipeline, RUN_END_ASKED,
                          "the sources are at their end");
}

/* One line that is enough without those before it. */
static void end_absent(struct pipeline *pipeline)
{
    char why[240] = "", text[320];

    for (unsigned i = 0; i < pipeline->producers_up && why[0] == '\0'; i++)
        (void)cause_read(&pipeline->producers[i].cause, why, sizeof why);
    (void)snprintf(text, sizeof text, "no connection to the source in time: %s",
                   why[0] ? why : "nothing answered yet");
    pipeline->run.end(pipeline, RUN_END_ABSENT, text);
}

static void watch_connection(struct pipeline *pipeline, int64_t now)
{
    const int64_t timeout = pipeline->options.connect_timeout_us;

    for (unsigned i = 0; i < pipeline->producers_up; i++)
        pipeline->has_connected |= atomic_load_explicit(
            &pipeline->producers[i].is_open, memory_order_acquire);
    if (!pipeline->topology->until_end || pipeline->has_connected ||
        timeout == 0 || now - pipeline->started_us < timeout)
        return;
    end_absent(pipeline);
}

static void say_flood(const struct pipeline *pipeline,
                      struct flood_count window)
{
    const struct topology_failure *failure = &pipeline->topology->failure;

    log_write(WEIR_LOG_ERROR,
              "%s: %llu of %llu messages failed within %.0f s, more than %u "
              "%%: the source stops, and a few pass from time to time until "
              "fewer fail",
              pipeline->topology->name, (unsigned long long)window.failed,
              (unsigned long long)window.judged,
              (double)failure->stop_over_us / CLOCK_SECOND_US,
              failure->stop_percent);
}

static void watch_flood(struct pipeline *pipeline, int64_t now)
{
    struct run *run = &pipeline->run;
    const struct flood_count all = {
        /* In this order: what failed was judged before. */
        .failed = counter_get(&run->counters.failed),
        .judged = counter_get(&run->counters.judged)};
    const enum flood_news news = flood_observe(&run->flood, now, all);

    if (news == FLOOD_SAME || run_is_draining(run))
        return;
    if (news == FLOOD_STOPS) {
        counter_add(&run->counters.flood_stops, 1);
        say_flood(pipeline, flood_sum(&run->flood));
        return;
    }
    if (news == FLOOD_RESUMES)
        log_write(WEIR_LOG_WARNING,
                  "%s: no more than %u %% of messages fail now: the source "
                  "goes on",
                  pipeline->topology->name,
                  pipeline->topology->failure.stop_percent);
    for (unsigned i = 0; i < run->home_count; i++)
        mailbox_interrupt(run->homes[i]);
}

void watch(struct pipeline *pipeline)
{
    const int64_t now = clock_now_us();

    for (unsigned i = 0; i < pipeline->processors_up; i++)
        watch_slot(pipeline, &pipeline->processors[i].runner.slot,
                   &pipeline->watched[i], now);
    for (unsigned i = 0; i < pipeline->sinks_up; i++)
        watch_slot(pipeline, &pipeline->sinks[i].runner.slot,
                   &pipeline->watched[pipeline->processor_count + i], now);
    pulse(pipeline, now);
    watch_leak(pipeline, now);
    watch_flood(pipeline, now);
    watch_end(pipeline);
    watch_connection(pipeline, now);
    log_remind();
}

/* Surely not meant: a name that the handler never routes to.  Of one that is
 * built in, `weir check` says so. */
void watch_idle_batchers(const struct pipeline *pipeline)
{
    struct weir_ledger ledger;

    pipeline_ledger(pipeline, &ledger);
    if (ledger.received == 0 || pipeline->topology->processors.handler.builtin)
        return;
    for (unsigned i = 0; i < topology_routable(pipeline->topology); i++) {
        if (atomic_load_explicit(&pipeline->outlets[i].messages,
                                 memory_order_relaxed) == 0)
            log_write(WEIR_LOG_WARNING,
                      "batcher %s got no message: the handler %s routes none "
                      "to it",
                      pipeline->outlets[i].name,
                      pipeline->options.handler->name);
    }
}
