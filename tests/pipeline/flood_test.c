/*
 * flood_test.c - too many messages fail: the source stops, some pass, it goes
 * on.
 */
#include "harness.h"

#include <stdatomic.h>

#include "flood.h"
#include "lanes.h"

#define teardown harness_teardown

static struct {
    struct gate gate;
    _Atomic bool is_mended;
    _Atomic unsigned handled;
} shared;

static int setup(void **state)
{
    shared.gate = (struct gate)GATE_CLOSED;
    shared.is_mended = false;
    shared.handled = 0;
    return harness_setup(state);
}

#define TOPOLOGY                                                               \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2, ordering: none, "          \
    "max_demand: 64 }\n"                                                       \
    "failure: { then: drop, stop_above: 50% over 10s }\n"

/* PASSED_MAX: a chunk, and what a pull that began before the stop brought. */
enum { COUNT = 3000, UNTIL_GATE = 400, PASSED_MAX = 4 * FLOOD_CHUNK };

static enum weir_status reject_until_mended(struct weir_message *msg,
                                            void *state)
{
    (void)msg;
    (void)state;
    if (++shared.handled > UNTIL_GATE)
        gate_pass(&shared.gate);
    return shared.is_mended ? WEIR_OK : WEIR_REJECT;
}

static struct pipeline_stats stats_of(struct harness *harness)
{
    struct pipeline_stats stats;

    pipeline_stats(harness->pipeline, &stats);
    return stats;
}

static bool is_flooded(struct harness *harness)
{
    return stats_of(harness).is_flooded;
}

static unsigned stopped_at, passed;

/* All that was taken in before the stop has ended. */
static bool is_dry(struct harness *harness)
{
    const struct pipeline_stats stats = stats_of(harness);

    stopped_at = (unsigned)stats.received;
    return stats.is_flooded && stats.in_flight == 0;
}

static bool has_stepped(struct harness *harness)
{
    passed = (unsigned)stats_of(harness).received - stopped_at;
    return passed > 0;
}

static void the_source_stops_a_chunk_passes_and_it_goes_on(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, COUNT);
    harness->handler.handle_message = reject_until_mended;
    harness_start(harness, TOPOLOGY);
    harness_wait(harness, is_flooded);
    gate_open(&shared.gate);
    harness_wait(harness, is_dry);
    assert_in_range(stopped_at, FLOOD_JUDGED_MIN, COUNT - 1);
    harness_wait(harness, has_stepped);
    shared.is_mended = true;
    assert_in_range(passed, 1, PASSED_MAX);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.received, COUNT);
    assert_int_equal(harness->stats.flood_stops, 1);
    assert_true(harness->stats.done > COUNT / 2);
    assert_false(harness->stats.is_flooded);
}

static void a_stopped_source_can_be_drained(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, COUNT);
    harness->handler.handle_message = reject_until_mended;
    harness_start(harness, TOPOLOGY);
    harness_wait(harness, is_flooded);
    gate_open(&shared.gate);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);
    assert_true(harness->stats.received < COUNT);
    assert_int_equal(harness->stats.in_flight, 0);
}

static enum weir_status reject_one_of_ten(struct weir_message *msg, void *state)
{
    (void)state;
    return place_of(msg).number % 10 == 0 ? WEIR_REJECT : WEIR_OK;
}

static void a_few_that_fail_stop_nothing_while_the_destination_stands(
    void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, COUNT);
    harness->handler.handle_message = reject_one_of_ten;
    sink_script_write(harness->sink, WEIR_RETRY, 2);

    assert_int_equal(harness_run(harness, TOPOLOGY
                                 "batchers: { default: { sink: { SINK } } "
                                 "}\n"),
                     0);
    assert_int_equal(harness->stats.flood_stops, 0);
    assert_int_equal(harness->stats.rejected, COUNT / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_source_stops_a_chunk_passes_and_it_goes_on),
        TEST(a_stopped_source_can_be_drained),
        TEST(a_few_that_fail_stop_nothing_while_the_destination_stands),
    };
    return cmocka_run_group_tests_name("flood", tests, NULL, NULL);
}
