/*
 * reload_test.c - a reload is one step, touches no source and no sink, and says
 * what became of it.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lanes.h"
#include "log.h"
#include "reload.h"

#define setup harness_setup

static struct gate gate;
static char said[2000];

static int teardown(void **state)
{
    log_set_callback(NULL, NULL);
    return harness_teardown(state);
}

#define TOPOLOGY(batcher)                                                      \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2 }\n"                        \
    "failure: { then: drop }\n"                                                \
    "batchers: { default: { sink: { SINK }, " batcher " } }\n"

static struct reload_view *look(struct harness *harness)
{
    struct reload_view *view = pipeline_look_at_reload(harness->pipeline);

    assert_non_null(view);
    return view;
}

static void assert_generation(struct harness *harness, uint64_t generation,
                              enum reload_outcome outcome)
{
    struct reload_view *view = look(harness);

    assert_int_equal(view->generation, generation);
    assert_int_equal(view->last.outcome, outcome);
    free(view);
}

static void assert_refused(struct harness *harness, const char *yaml,
                           const char *why)
{
    struct tuning before, after;
    struct weir_error err = {0};
    struct reload_view *view;

    assert_int_equal(pipeline_tuning(harness->pipeline, &before), WEIR_OK);
    assert_int_equal(harness_reload(harness, yaml, &err), WEIR_REJECT);
    assert_string_equal(err.text, why);
    assert_int_equal(pipeline_tuning(harness->pipeline, &after), WEIR_OK);
    assert_memory_equal(before.values, after.values, sizeof before.values);
    assert_memory_equal(before.batchers, after.batchers,
                        before.batcher_count * sizeof *before.batchers);
    tuning_finish(&before);
    tuning_finish(&after);
    view = look(harness);
    assert_int_equal(view->last.outcome, RELOAD_REFUSED);
    assert_string_equal(view->last.why, why);
    assert_string_equal(view->last.by, "test");
    assert_int_equal(view->last.applied.count + view->last.restart.count, 0);
    free(view);
}

static void what_was_applied_and_what_needs_a_restart_is_told(void **state)
{
    struct harness *harness = *state;
    struct reload_view *view;

    harness_create(harness, TOPOLOGY("batch_size: 10"));
    assert_generation(harness, 1, RELOAD_NONE);
    assert_int_equal(
        harness_reload(
            harness,
            TOPOLOGY("batch_size: 20, concurrency: 2") "memory: 9MiB\n", NULL),
        WEIR_OK);
    view = look(harness);
    assert_int_equal(view->generation, 2);
    assert_int_equal(view->counts[RELOAD_APPLIED], 1);
    assert_int_equal(view->last.outcome, RELOAD_APPLIED);
    assert_true(view->last.wall_ms > 0);
    assert_int_equal(view->last.applied.count, 1);
    assert_string_equal(view->last.applied.changes[0].path,
                        "batchers.default.batch_size");
    assert_string_equal(view->last.applied.changes[0].from, "10");
    assert_string_equal(view->last.applied.changes[0].to, "20");
    assert_int_equal(view->last.restart.count, 2);
    assert_string_equal(view->last.restart.changes[0].path, "memory");
    assert_string_equal(view->last.restart.changes[1].path,
                        "batchers.default.concurrency");
    free(view);
    /* Again: nothing new, and what needs a restart still does. */
    assert_int_equal(
        harness_reload(
            harness,
            TOPOLOGY("batch_size: 20, concurrency: 2") "memory: 9MiB\n", NULL),
        WEIR_OK);
    view = look(harness);
    assert_int_equal(view->generation, 2);
    assert_int_equal(view->last.outcome, RELOAD_UNCHANGED);
    assert_int_equal(view->last.restart.count, 2);
    free(view);
}

static void what_was_changed_otherwise_becomes_what_the_file_says(void **state)
{
    const struct topology_rate_limit slow = {.messages = 1,
                                             .interval_us = CLOCK_SECOND_US};
    struct topology_rate_limit limit;
    struct harness *harness = *state;

    harness_create(harness, TOPOLOGY("batch_size: 10"));
    pipeline_set_rate(harness->pipeline, &slow);
    assert_int_equal(harness_reload(harness, TOPOLOGY("batch_size: 10"), NULL),
                     WEIR_OK);
    pipeline_rate(harness->pipeline, &limit);
    assert_int_equal(limit.messages, 0);
    assert_generation(harness, 2, RELOAD_APPLIED);
}

static void a_file_of_another_pipeline_is_refused(void **state)
{
    struct harness *harness = *state;

    harness_create(harness, TOPOLOGY("batch_size: 10"));
    assert_refused(harness, "name: other\n" TOPOLOGY("batch_size: 20"),
                   "name: the file is of the pipeline other, and test is what "
                   "runs");
    assert_generation(harness, 1, RELOAD_REFUSED);
}

/* As a window that was sized at the start. */
static void check_window(const struct weir_settings *settings)
{
    const struct weir_share *share = weir_settings_share(settings);

    if (share->largest_batch > share->max_message_bytes)
        weir_settings_refuse(settings, "", "a batch of %u fits no window",
                             share->largest_batch);
}

static void what_doesnt_fit_what_stays_is_refused_whole(void **state)
{
    static const char larger[] =
        "producer: { SOURCE, max_message_bytes: 100B }\n"
        "processors: { handler: linked, concurrency: 1 }\n"
        "failure: { then: drop }\n"
        "batchers: { default: { sink: { SINK }, batch_size: 60,\n"
        "  batch_timeout: 5s } }\n";
    struct harness *harness = *state;

    harness->source_ops.check = check_window;
    harness_create(
        harness, "producer: { SOURCE, max_message_bytes: 50B }\n"
                 "processors: { handler: linked, concurrency: 1 }\n"
                 "failure: { then: drop }\n"
                 "batchers: { default: { sink: { SINK }, batch_size: 40 } }\n");
    assert_refused(harness, larger,
                   "what needs no restart doesn't fit what runs: "
                   "producer.scripted: a batch of 60 fits no window");
}

static void what_is_about_to_end_is_not_reloaded(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 1);
    harness_create(harness, TOPOLOGY("batch_size: 10"));
    pipeline_drain(harness->pipeline);
    assert_refused(harness, TOPOLOGY("batch_size: 20"), "it is about to end");
    harness_begin(harness);
    assert_int_equal(harness_join(harness), 0);
}

static void what_is_paused_is_reloaded_and_stays_paused(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 20);
    harness_create(harness, TOPOLOGY("batch_size: 10, batch_timeout: 10m"));
    pipeline_pause(harness->pipeline);
    harness_begin(harness);
    assert_int_equal(harness_reload(harness,
                                    TOPOLOGY("batch_size: 20, "
                                             "batch_timeout: 10m"),
                                    NULL),
                     WEIR_OK);
    assert_true(pipeline_is_paused(harness->pipeline));
    assert_int_equal(producer_script_counts(harness->source).offered, 0);
    pipeline_resume(harness->pipeline);
    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.closed_size, 1);
}

static enum weir_status wait_at_the_gate(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    gate_pass(&gate);
    return WEIR_OK;
}

static unsigned late(struct harness *harness)
{
    struct reload_view *view = look(harness);
    const unsigned count = view->late;

    free(view);
    return count;
}

static bool one_is_late(struct harness *harness)
{
    return late(harness) == 1;
}

static bool nobody_is_late(struct harness *harness)
{
    return late(harness) == 0;
}

static void who_is_in_a_callback_is_late_and_said_to_be(void **state)
{
    struct harness *harness = *state;

    gate = (struct gate)GATE_CLOSED;
    harness_offer(harness, 0, 1);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = wait_at_the_gate;
    harness_start(harness, TOPOLOGY("batch_size: 10"));
    gate_await(&gate, 1);
    assert_int_equal(harness_reload(harness, TOPOLOGY("batch_size: 20"), NULL),
                     WEIR_OK);
    harness_wait(harness, one_is_late);
    gate_open(&gate);
    harness_wait(harness, nobody_is_late);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
}

/* ---- under load ---- */

enum { LANES = 4, PER_LANE = 5000, RELOADS = 100 };

static const char *const versions[] = {
    "producer: { SOURCE }\n"
    "processors: { handler: linked, concurrency: 4, ordering: partition }\n"
    "failure: { then: drop }\n"
    "batchers: { default: { sink: { COLLECT }, batch_size: 50,\n"
    "  batch_timeout: 5ms, concurrency: 2 } }\n",
    "producer: { SOURCE, rate_limit: { messages: 900000 } }\n"
    "processors: { handler: linked, concurrency: 1, ordering: partition,\n"
    "  timeout: 5s }\n"
    "failure: { then: drop, retry: { attempts: 9, backoff: { max: 1ms,\n"
    "  min: 1ms } } }\n"
    "batchers: { default: { sink: { COLLECT }, batch_size: 3,\n"
    "  batch_bytes: 100B, max_batch_keys: 1, batch_timeout: 1ms,\n"
    "  concurrency: 2 } }\n"
    "log: { level: warning }\n",
};

/* Some are tried again, so that lanes wait, too. */
static enum weir_status retry_some(struct weir_message *msg, void *state)
{
    (void)state;
    return place_of(msg).number % 97 == 0 && weir_message_attempt(msg) == 1
               ? weir_message_retry_after(msg, 1)
               : WEIR_OK;
}

static void say_nothing(void *opaque, enum weir_log_level level,
                        const char *line)
{
    (void)opaque;
    (void)level;
    (void)snprintf(said, sizeof said, "%s", line);
}

static void many_reloads_under_load_lose_nothing_and_touch_no_end(void **state)
{
    struct harness *harness = *state;
    struct reload_view *view;

    log_set_callback(say_nothing, NULL);
    for (unsigned lane = 0; lane < LANES; lane++)
        producer_script_begin(harness->source, lane, "t", (int32_t)lane);
    for (unsigned lane = 0; lane < LANES; lane++)
        producer_script_add_many(harness->source, lane, PER_LANE);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = retry_some;
    harness_start(harness, versions[0]);
    for (unsigned i = 1; i <= RELOADS; i++) {
        assert_int_equal(harness_reload(harness, versions[i % 2], NULL),
                         WEIR_OK);
        (void)producer_script_wait(harness->source,
                                   i * LANES * PER_LANE / RELOADS,
                                   clock_after_us(20000));
    }
    assert_true(producer_script_wait(harness->source, LANES * PER_LANE,
                                     clock_after_us(60 * CLOCK_SECOND_US)));
    view = look(harness);
    assert_int_equal(view->generation, 1 + RELOADS);
    assert_int_equal(view->last.restart.count, 0);
    free(view);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, LANES * PER_LANE);
    assert_int_equal(producer_script_counts(harness->source).opens, 1);
    assert_int_equal(harness->stats.reconnects, 0);
    assert_in_order(harness->collection, LANES, PER_LANE);
}

static void keep(void *opaque, enum weir_log_level level, const char *line)
{
    (void)opaque;
    (void)level;
    if (strstr(line, "reload"))
        (void)snprintf(said, sizeof said, "%s", line);
}

static void assert_said(const char *line)
{
    if (!strstr(said, line))
        fail_msg("`%s` is not in `%s`", line, said);
}

static void a_reload_is_one_line_in_the_log(void **state)
{
    struct harness *harness = *state;
    struct weir_error err = {0};

    harness_create(harness, TOPOLOGY("batch_size: 10"));
    log_set_callback(keep, NULL);
    assert_int_equal(
        harness_reload(
            harness,
            TOPOLOGY(
                "batch_size: 20, concurrency: 2") "log: { level: error }\n",
            &err),
        WEIR_OK);
    assert_said(
        "test: reloaded (test), applied, generation 2: log.level from "
        "info to error, batchers.default.batch_size from 10 to 20; needs "
        "a restart: batchers.default.concurrency from 1 to 2");
    assert_int_equal(harness_reload(harness,
                                    "name: other\n" TOPOLOGY("batch_"
                                                             "size: 1"),
                                    &err),
                     WEIR_REJECT);
    assert_said("test: the reload (test) was refused and nothing has "
                "changed: name: the file is of the pipeline other");
    log_set_level(WEIR_LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reload_is_one_line_in_the_log), /* before many are left out */
        TEST(what_was_applied_and_what_needs_a_restart_is_told),
        TEST(what_was_changed_otherwise_becomes_what_the_file_says),
        TEST(a_file_of_another_pipeline_is_refused),
        TEST(what_doesnt_fit_what_stays_is_refused_whole),
        TEST(what_is_about_to_end_is_not_reloaded),
        TEST(what_is_paused_is_reloaded_and_stays_paused),
        TEST(who_is_in_a_callback_is_late_and_said_to_be),
        TEST(many_reloads_under_load_lose_nothing_and_touch_no_end),
    };

    return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
