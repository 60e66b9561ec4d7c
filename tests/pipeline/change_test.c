/*
 * change_test.c - pausing, and another rate limit, while messages flow.
 */
#include "harness.h"

#include <stdatomic.h>

#define setup    harness_setup
#define teardown harness_teardown

#define TOPOLOGY                                                               \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2 }\n"                        \
    "failure: { then: drop }\n"

enum { COUNT = 20000, FIRST = 500, LIMITED = 2000 };

static struct pipeline_stats stats_of(struct harness *harness)
{
    struct pipeline_stats stats;

    pipeline_stats(harness->pipeline, &stats);
    return stats;
}

static bool has_begun(struct harness *harness)
{
    return stats_of(harness).done >= FIRST / 5;
}

static bool is_all_done(struct harness *harness)
{
    return stats_of(harness).done == COUNT;
}

static bool are_the_limited_done(struct harness *harness)
{
    return stats_of(harness).done == LIMITED;
}

/* Handling takes a while, so that there is a middle. */
static struct gate gate;

static enum weir_status wait_after_the_first(struct weir_message *msg,
                                             void *state)
{
    (void)state;
    if (weir_message_offset(msg) >= FIRST)
        gate_pass(&gate);
    return WEIR_OK;
}

static bool is_dry(struct harness *harness)
{
    return stats_of(harness).in_flight == 0;
}

static _Atomic unsigned pulls, wanted; /* and what they asked for */

static enum weir_status count_pull(void *self, struct weir_intake *intake,
                                   unsigned demand, int64_t deadline_us,
                                   struct weir_error *err)
{
    pulls++;
    wanted += demand;
    return scripted_producer.pull(self, intake, demand, deadline_us, err);
}

static bool has_pulled(struct harness *harness)
{
    (void)harness;
    return pulls >= 5;
}

static void a_paused_source_is_read_no_more_and_what_came_is_finished(
    void **state)
{
    struct harness *harness = *state;
    uint64_t taken;

    gate = (struct gate)GATE_CLOSED;
    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, COUNT);
    harness->handler.handle_message = wait_after_the_first;
    harness->source_ops.pull = count_pull;
    harness_start(harness, TOPOLOGY);
    harness_wait(harness, has_begun);
    assert_false(pipeline_is_paused(harness->pipeline));
    pipeline_pause(harness->pipeline);
    assert_true(pipeline_is_paused(harness->pipeline));
    gate_open(&gate);
    harness_wait(harness, is_dry);
    taken = stats_of(harness).received;
    assert_in_range(taken, FIRST / 5, COUNT - 1);
    pulls = 0;
    wanted = 0;
    harness_wait(harness, has_pulled); /* it is kept alive */
    assert_int_equal(wanted, 0);
    assert_int_equal(stats_of(harness).received, taken);

    pipeline_resume(harness->pipeline);
    harness_wait(harness, is_all_done);
    assert_int_equal(harness_join(harness), 0);
}

static void a_paused_pipeline_can_be_drained(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, COUNT);
    harness_create(harness, TOPOLOGY);
    pipeline_pause(harness->pipeline); /* before it runs, too */
    harness_begin(harness);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.received, 0);
}

static void a_limit_is_set_where_there_was_none_and_taken_away(void **state)
{
    const struct topology_rate_limit slow = {.messages = 1,
                                             .interval_us = INT64_C(86400) *
                                                            CLOCK_SECOND_US},
                                     none = {.interval_us = CLOCK_SECOND_US};
    struct topology_rate_limit now;
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, LIMITED);
    harness_create(harness, TOPOLOGY);
    pipeline_rate(harness->pipeline, &now);
    assert_int_equal(now.messages, 0);
    pipeline_set_rate(harness->pipeline, &slow);
    pipeline_rate(harness->pipeline, &now);
    assert_int_equal(now.messages, 1);
    harness_begin(harness);
    /* One a day: who waits for the next one is woken by the change. */
    pipeline_set_rate(harness->pipeline, &none);
    harness_wait(harness, are_the_limited_done);
    assert_int_equal(harness_join(harness), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_paused_source_is_read_no_more_and_what_came_is_finished),
        TEST(a_paused_pipeline_can_be_drained),
        TEST(a_limit_is_set_where_there_was_none_and_taken_away),
    };
    return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
