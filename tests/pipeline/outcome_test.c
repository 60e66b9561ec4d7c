/*
 * outcome_test.c - what a destination may say about the messages of a batch.
 */
#include "harness.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lanes.h"

#define teardown harness_teardown

static _Atomic unsigned handled;

static int setup(void **state)
{
    handled = 0;
    return harness_setup(state);
}

#define HEAD                                                                   \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 1, ordering: none }\n"
#define FAILURE "failure: { then: drop }\nshutdown: { timeout: 20s }\n"

static enum weir_status count_calls(struct weir_message *msg, void *state)
{
    (void)state;
    (void)msg;
    handled++;
    return WEIR_OK;
}

static bool has_handled_ten(struct harness *harness)
{
    (void)harness;
    return handled >= 10;
}

static void outcomes_may_come_late_and_in_any_order(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 200);
    sink_script_set_late(harness->sink, false);

    assert_int_equal(
        harness_run(harness,
                    HEAD "batchers: { default: { batch_size: 10, "
                         "max_in_flight: 4, sink: { SINK } } }\n" FAILURE),
        0);

    assert_int_equal(harness->stats.done, 200);
}

static bool has_written_three(struct harness *harness)
{
    return sink_script_writes(harness->sink) >= 3;
}

static void at_most_max_in_flight_batches_are_written(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 200);
    harness->handler.handle_message = count_calls;
    sink_script_set_late(harness->sink, true);
    harness_start(harness,
                  HEAD "batchers: { default: { batch_size: 10, "
                       "max_in_flight: 3, sink: { SINK } } }\n" FAILURE);
    harness_wait(harness, has_written_three);
    harness_wait(harness, has_handled_ten);
    assert_int_equal(sink_script_writes(harness->sink), 3);
    sink_script_release(harness->sink);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 200);
}

static enum weir_status say_twice(struct weir_batch *batch, void *state)
{
    (void)state;
    weir_batch_set_outcome(batch, 0, 1, WEIR_OK, NULL);
    weir_batch_set_outcome(batch, 0, 1, WEIR_REJECT, "no, not");
    weir_batch_set_outcome(batch, weir_batch_count(batch), 1, WEIR_OK, NULL);
    return WEIR_OK;
}

static const char *const small_batches =
    HEAD "batchers: { default: { batch_size: 10 } }\n" FAILURE;

static void a_second_outcome_is_counted_and_refused(void **state)
{
    struct harness *harness = *state;
    const char *strict = getenv("WEIR_STRICT");

    if (strict) /* aborts there: the next test */
        assert_int_equal(unsetenv("WEIR_STRICT"), 0);
    harness_offer(harness, 0, 10);
    harness->handler.handle_batch = say_twice;

    assert_int_equal(harness_run(harness, small_batches), 0);

    assert_int_equal(harness->stats.done, 10);
    assert_int_equal(harness->stats.refused_settlements, 2);
    if (strict)
        assert_int_equal(setenv("WEIR_STRICT", "1", 1), 0);
}

static void a_second_outcome_aborts_where_it_is_strict(void **state)
{
    struct harness *harness = *state;
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        (void)setenv("WEIR_STRICT", "1", 1);
        (void)!freopen("/dev/null", "w", stderr);
        (void)signal(SIGABRT, SIG_DFL);
        harness_offer(harness, 0, 10);
        harness->handler.handle_batch = say_twice;
        (void)harness_run(harness, small_batches);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
}

/* ---- a connector that forgets ---- */

enum { ORDERED_COUNT = 10 };

static _Atomic unsigned forgets, confirms;
static unsigned confirmed[ORDERED_COUNT]; /* the last time, counted */

static enum weir_status opens(void *self, const struct weir_settings *settings,
                              struct weir_error *err)
{
    (void)self;
    (void)settings;
    (void)err;
    return WEIR_OK;
}

static enum weir_status forget_some(void *self, struct weir_batch *batch,
                                    struct weir_error *err)
{
    const size_t count = weir_batch_count(batch);

    (void)self;
    (void)err;
    if (forgets++ == 0)
        weir_batch_set_outcome(batch, 0, 3, WEIR_OK, NULL);
    else
        weir_batch_set_outcome(batch, 0, count, WEIR_OK, NULL);
    return WEIR_OK;
}

static void closes(void *self, int64_t deadline_us)
{
    (void)self;
    (void)deadline_us;
}

static const struct weir_option no_options[] = {{0}};

static const struct weir_sink_ops forgetful = {.name = "forgetful",
                                               .help = "Forgets outcomes.",
                                               .options = no_options,
                                               .open = opens,
                                               .write = forget_some,
                                               .close = closes};

static void what_a_connector_forgets_is_written_again(void **state)
{
    struct harness *harness = *state;

    forgets = 0;
    harness_offer(harness, 0, 10);
    harness->own_sink = &forgetful;

    assert_int_equal(harness_run(harness,
                                 HEAD "batchers: { default: { batch_size: 10, "
                                      "sink: { forgetful: {} } } }\n" FAILURE),
                     0);

    assert_int_equal(forgets, 2);
    assert_int_equal(harness->stats.done, 10);
    assert_int_equal(harness->stats.refused_settlements, 0);
}

/* ---- the same in an ordered mode ---- */

/* The first time, nothing is said of the first half. */
static enum weir_status forget_the_first_half(void *self,
                                              struct weir_batch *batch,
                                              struct weir_error *err)
{
    const size_t count = weir_batch_count(batch);
    const size_t first = forgets++ == 0 ? count / 2 : 0;

    (void)self;
    (void)err;
    for (size_t i = first; i < count; i++)
        confirmed[place_of(weir_batch_message(batch, i)).number] = ++confirms;
    weir_batch_set_outcome(batch, first, count - first, WEIR_OK, NULL);
    return WEIR_OK;
}

static void what_is_behind_a_message_without_an_outcome_is_written_again(
    void **state)
{
    struct weir_sink_ops ops = forgetful;
    struct harness *harness = *state;

    forgets = 0;
    confirms = 0;
    ops.write = forget_the_first_half;
    harness_offer(harness, 0, ORDERED_COUNT);
    harness->own_sink = &ops;

    assert_int_equal(
        harness_run(harness, "producer: { SOURCE }\n"
                             "processors: { handler: linked, concurrency: 2, "
                             "ordering: partition }\n"
                             "batchers: { default: { batch_size: 10, sink: { "
                             "forgetful: {} } } }\n" FAILURE),
        0);

    assert_int_equal(forgets, 2);
    assert_int_equal(harness->stats.done, ORDERED_COUNT);
    for (size_t i = 1; i < ORDERED_COUNT; i++)
        assert_true(confirmed[i] > confirmed[i - 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(outcomes_may_come_late_and_in_any_order),
        TEST(at_most_max_in_flight_batches_are_written),
        TEST(a_second_outcome_is_counted_and_refused),
        TEST(a_second_outcome_aborts_where_it_is_strict),
        TEST(what_a_connector_forgets_is_written_again),
        TEST(what_is_behind_a_message_without_an_outcome_is_written_again),
    };
    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
