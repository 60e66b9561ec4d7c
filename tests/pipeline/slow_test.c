/*
 * slow_test.c - without order a slow message keeps nobody waiting but itself.
 */
#include "harness.h"

#include <stdatomic.h>

#include "lanes.h"

#define teardown harness_teardown

static struct {
    struct gate gate;
    _Atomic unsigned handled, unmarked;
} shared;

static int setup(void **state)
{
    shared.gate = (struct gate)GATE_CLOSED;
    shared.handled = shared.unmarked = 0;
    return harness_setup(state);
}

#define FAILURE "failure: { then: drop }\n"
#define TWO_WORKERS                                                            \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2, ordering: none }\n"

enum { SLOW = 1000 };

/* In the middle of a hand: those before it were fast. */
static enum weir_status gate_slow(struct weir_message *msg, void *state)
{
    (void)state;
    if (place_is(msg, 0, SLOW))
        gate_pass(&shared.gate);
    else
        shared.handled++;
    return WEIR_OK;
}

static bool has_handled_all_but_the_slow_one(struct harness *harness)
{
    (void)harness;
    return shared.handled == 2 * SLOW - 1;
}

static void a_message_that_is_suddenly_slow_parks_nothing_behind_it(
    void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 2 * SLOW);
    harness->handler.handle_message = gate_slow;
    harness_start(harness, TWO_WORKERS FAILURE);
    gate_await(&shared.gate, 1);
    harness_wait(harness, has_handled_all_but_the_slow_one);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 2 * SLOW);
}

static enum weir_status mark(struct weir_message *const *messages, size_t count,
                             void *state)
{
    (void)state;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(
            weir_message_add_header(messages[i], "prepared", WEIR_STR("yes")),
            WEIR_OK);
    return WEIR_OK;
}

static enum weir_status gate_slow_marked(struct weir_message *msg, void *state)
{
    shared.unmarked += weir_message_header_count(msg) != 1;
    return gate_slow(msg, state);
}

static void what_comes_back_from_a_slow_worker_is_prepared_again(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 2 * SLOW);
    harness->handler.prepare_messages = mark;
    harness->handler.handle_message = gate_slow_marked;
    harness_start(harness, TWO_WORKERS FAILURE);
    gate_await(&shared.gate, 1);
    harness_wait(harness, has_handled_all_but_the_slow_one);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 2 * SLOW);
    assert_int_equal(shared.unmarked, 0); /* each was marked once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_that_is_suddenly_slow_parks_nothing_behind_it),
        TEST(what_comes_back_from_a_slow_worker_is_prepared_again),
    };
    return cmocka_run_group_tests_name("slow", tests, NULL, NULL);
}
