/*
 * settle_test.c - when a message is settled: when its last stage said so, not
 * before, and once; and what a run says of one that never is.
 */
#include "harness.h"

#include "lanes.h"

#define setup    harness_setup
#define teardown harness_teardown

#define PLAIN                                                                  \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2, ordering: none }\n"        \
    "batchers: { default: { batch_size: 10, batch_timeout: 10ms, "             \
    "sink: { SINK } } }\n"                                                     \
    "failure: { then: drop }\n"

static bool has_written(struct harness *harness)
{
    return sink_script_writes(harness->sink) > 0;
}

static void what_the_sink_has_not_confirmed_is_never_settled_as_done(
    void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 10);
    producer_script_set_endless(harness->source);
    sink_script_set_late(harness->sink, true);
    harness_start(harness, PLAIN "shutdown: { timeout: 500ms }\n");
    harness_wait(harness, has_written);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), PIPELINE_EXIT_LATE);
    assert_int_equal(harness->stats.done, 0);
    assert_int_equal(harness->stats.abandoned, 10);
    assert_int_equal(
        producer_script_counts(harness->source).settled[WEIR_OUTCOME_DONE], 0);
}

static enum weir_status settle_early_and_reject_three(struct weir_message *msg,
                                                      void *state)
{
    (void)state;
    weir_message_settle_early(msg);
    return place_is(msg, 0, 3) ? weir_message_reject(msg, "no") : WEIR_OK;
}

static void settle_early_counts_when_the_handler_says_ok(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 10);
    harness->handler.handle_message = settle_early_and_reject_three;

    assert_int_equal(harness_run(harness, PLAIN), 0);

    assert_int_equal(harness->stats.done, 9);
    assert_int_equal(harness->stats.rejected, 1);
    assert_int_equal(harness->stats.failed_after_settle, 0);
}

/* One that got lost among the stages would make it 74. */
static void a_run_in_which_all_is_settled_exits_0(void **state)
{
    struct harness *harness = *state;
    int code;

    harness_offer(harness, 0, 1000);
    harness_start(harness, PLAIN "shutdown: { timeout: 5s }\n");
    code = harness_end(harness);
    if (code != PIPELINE_EXIT_OK)
        fail_msg("exit code %d, %d in flight", code,
                 (int)harness->stats.in_flight);

    assert_int_equal(harness_finish(harness), PIPELINE_EXIT_OK);
    assert_int_equal(harness->stats.done, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_sink_has_not_confirmed_is_never_settled_as_done),
        TEST(settle_early_counts_when_the_handler_says_ok),
        TEST(a_run_in_which_all_is_settled_exits_0),
    };
    return cmocka_run_group_tests_name("settle", tests, NULL, NULL);
}
