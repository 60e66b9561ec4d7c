/*
 * timing_test.c - where messages wait and are worked on is measured, each once.
 */
#include "harness.h"

#include <poll.h>
#include <string.h>

#include "timing.h"

#define TOPOLOGY                                                               \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 1 }\n"                        \
    "batchers:\n"                                                              \
    "  default: { batch_size: 10, batch_timeout: 5ms, sink: { SINK } }\n"      \
    "failure: { then: drop, retry: { backoff: { min: 50ms, max: 50ms } } }\n"

enum { WORK_MS = 3, COUNT = 40, STAGES = 3 };

static enum weir_status work(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    (void)poll(NULL, 0, WORK_MS);
    return WEIR_OK;
}

static enum weir_status reject(struct weir_message *msg, void *state)
{
    (void)state;
    return weir_message_reject(msg, "bad");
}

static enum weir_status once_more(struct weir_message *msg, void *state)
{
    (void)state;
    return weir_message_attempt(msg) == 1 ? WEIR_RETRY : WEIR_OK;
}

/* What a run of COUNT messages measured. */
static void measure(struct harness *harness, struct timing timings[STAGES],
                    struct histogram_view *ret_latency)
{
    harness->until_end = true;
    harness_offer(harness, 0, COUNT);
    harness_start(harness, TOPOLOGY);
    (void)harness_end(harness);
    assert_int_equal(pipeline_timings(harness->pipeline, timings, STAGES),
                     STAGES);
    pipeline_latency(harness->pipeline, ret_latency);
    assert_string_equal(timings[0].stage, "processor");
    assert_null(timings[0].batcher);
    assert_string_equal(timings[1].stage, "batcher");
    assert_string_equal(timings[1].batcher, "default");
    assert_string_equal(timings[2].stage, "sink");
    assert_string_equal(timings[2].batcher, "default");
    assert_int_equal(harness_finish(harness), 0);
}

static void each_message_is_counted_in_each_stage(void **state)
{
    struct harness *harness = *state;
    struct timing timings[STAGES];
    struct histogram_view latency;
    const uint64_t worked_us = (uint64_t)COUNT * WORK_MS * 1000;

    harness->handler.handle_message = work;
    measure(harness, timings, &latency);

    assert_int_equal(timings[0].wait.count, COUNT);
    assert_int_equal(timings[0].work.count, COUNT);
    assert_in_range(timings[0].work.sum_us, worked_us - COUNT, UINT32_MAX);
    /* The last one waits for those before it: half of all work on average. */
    assert_in_range(timings[0].wait.sum_us, worked_us, UINT32_MAX);

    assert_int_equal(timings[1].wait.count, COUNT);
    assert_int_equal(timings[1].work.count, 0);

    assert_int_equal(timings[2].wait.count, COUNT);
    assert_int_equal(timings[2].work.count, COUNT);

    assert_int_equal(latency.count, COUNT);
    assert_in_range(latency.sum_us, timings[0].work.sum_us, UINT32_MAX);
}

static void what_fails_has_a_latency_too(void **state)
{
    struct harness *harness = *state;
    struct timing timings[STAGES];
    struct histogram_view latency;

    harness->handler.handle_message = reject;
    measure(harness, timings, &latency);
    assert_int_equal(timings[0].work.count, COUNT);
    assert_int_equal(timings[2].work.count, 0);
    assert_int_equal(latency.count, COUNT);
}

static void a_backoff_counts_as_latency_and_not_as_waiting(void **state)
{
    struct harness *harness = *state;
    struct timing timings[STAGES];
    struct histogram_view latency;

    harness->handler.handle_message = once_more;
    measure(harness, timings, &latency);
    assert_int_equal(timings[0].wait.count, COUNT);
    assert_int_equal(timings[0].work.count, 2 * COUNT);
    assert_int_equal(latency.count, COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_message_is_counted_in_each_stage,
                                        harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(what_fails_has_a_latency_too,
                                        harness_setup, harness_teardown),
        cmocka_unit_test_setup_teardown(
            a_backoff_counts_as_latency_and_not_as_waiting, harness_setup,
            harness_teardown),
    };
    return cmocka_run_group_tests_name("timing", tests, NULL, NULL);
}
