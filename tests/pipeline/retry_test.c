/*
 * retry_test.c - a message that is handled again: when, as which attempt, and
 * who waits with it.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "lanes.h"

#define teardown harness_teardown

static struct {
    _Atomic unsigned handled, attempts[8];
    _Atomic int64_t last_us, shortest_us;
} shared;

static int setup(void **state)
{
    shared.handled = 0;
    shared.last_us = 0;
    shared.shortest_us = INT64_MAX;
    for (unsigned i = 0; i < 8; i++)
        shared.attempts[i] = 0;
    return harness_setup(state);
}

#define HEAD(backoff)                                                          \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 1, ordering: none }\n"        \
    "failure: { then: dead_letter, retry: { attempts: 3, backoff: { "          \
    "min: " backoff ", max: " backoff " } } }\n"                               \
    "batchers: { dead_letter: { batch_timeout: 5ms, sink: { COLLECT } } }\n"

static enum weir_status fail_each_time(struct weir_message *msg, void *state)
{
    (void)state;
    (void)weir_message_reject(msg, "attempt %u", weir_message_attempt(msg));
    return weir_message_attempt(msg) < 3 ? WEIR_RETRY
                                         : weir_message_retry_after(msg, 0);
}

static void the_last_reason_is_the_one_that_counts(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 1);
    harness->handler.handle_message = fail_each_time;

    assert_int_equal(harness_run(harness, HEAD("1ms")), 0);

    assert_string_equal(
        collected_header(collection_get(harness->collection, 0), "weir-reason"),
        "attempt 3");
    assert_int_equal(harness->stats.retries, 2);
    assert_int_equal(harness->stats.rejected_retries, 1);
}

static enum weir_status hold_the_first(struct weir_message *msg, void *state)
{
    (void)state;
    shared.handled++;
    return weir_message_offset(msg) == 0
               ? weir_message_retry_after(msg, 3600000)
               : WEIR_OK;
}

static void a_message_that_waits_blocks_no_worker(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 500);
    harness->handler.handle_message = hold_the_first;
    harness_start(harness, HEAD("1ms"));

    assert_true(producer_script_wait(harness->source, 499,
                                     clock_after_us(10 * CLOCK_SECOND_US)));
    assert_int_equal(shared.handled, 500);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.abandoned, 1);
}

static enum weir_status again_in_a_moment(struct weir_message *msg, void *state)
{
    const int64_t now = clock_now_us();
    const int64_t waited = now - shared.last_us;

    (void)state;
    if (shared.handled++ > 0 && waited < shared.shortest_us)
        shared.shortest_us = waited;
    shared.last_us = now;
    return shared.handled < 3 ? weir_message_retry_after(msg, 30) : WEIR_OK;
}

/* By backoff it would wait for up to ten minutes. */
static void it_waits_as_long_as_its_handler_asks_for(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 1);
    harness->handler.handle_message = again_in_a_moment;

    assert_int_equal(harness_run(harness, HEAD("10m")), 0);

    assert_int_equal(shared.handled, 3);
    assert_true(shared.shortest_us >= 30000);
    assert_int_equal(harness->stats.done, 1);
}

static enum weir_status note_attempt(struct weir_message *msg, void *state)
{
    (void)state;
    shared.attempts[shared.handled++ % 8] = weir_message_attempt(msg);
    return shared.handled == 4 ? WEIR_OK : WEIR_RETRY;
}

static bool was_handled_twice(struct harness *harness)
{
    (void)harness;
    return shared.handled == 2;
}

/* What the broker counts goes on; calls are bounded for each delivery. */
static void the_attempt_number_goes_on_across_deliveries(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 1);
    producer_script_pause(harness->source);
    producer_script_disconnect(harness->source);
    harness->handler.handle_message = note_attempt;
    harness_start(harness, HEAD("200ms"));
    harness_wait(harness, was_handled_twice);
    producer_script_continue(harness->source);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(shared.attempts[0], 1);
    assert_int_equal(shared.attempts[1], 2);
    assert_true(shared.attempts[3] >= 3);
    assert_int_equal(harness->stats.rejected, 0);
    assert_int_equal(harness->stats.done, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_reason_is_the_one_that_counts),
        TEST(a_message_that_waits_blocks_no_worker),
        TEST(it_waits_as_long_as_its_handler_asks_for),
        TEST(the_attempt_number_goes_on_across_deliveries),
    };
    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
