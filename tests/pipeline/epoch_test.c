/*
 * epoch_test.c - what happens to messages of a source that is taken away: those
 * un-begun are abandoned at once, those begun are fenced when they return.
 *
 * The scripted source aborts when a settlement of an earlier epoch reaches it.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>

#include "inspect.h"
#include "lanes.h"

#define teardown harness_teardown

static struct {
    struct gate gate;
    _Atomic unsigned handled, chosen, running, overlaps;
} shared;

static int setup(void **state)
{
    shared.gate = (struct gate)GATE_CLOSED;
    shared.handled = shared.chosen = shared.running = shared.overlaps = 0;
    return harness_setup(state);
}

#define PATIENT                                                                \
    "failure: { then: drop, retry: { attempts: 5, "                            \
    "backoff: { min: 10m, max: 10m } } }\n"
#define ORDERED                                                                \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2, ordering: partition }\n"
#define UNORDERED                                                              \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 1, ordering: none, "          \
    "max_demand: 16, min_demand: 15 }\n"
#define LONG_BATCHES                                                           \
    "batchers: { default: { batch_size: 100, batch_timeout: 10m, "             \
    "sink: { SINK } } }\n"

/* Source 0 with ten records; then the test says continue. */
static void ten_and_pause(struct harness *harness)
{
    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 10);
    producer_script_pause(harness->source);
}

static struct pipeline_stats now(struct harness *harness)
{
    struct pipeline_stats stats;

    pipeline_stats(harness->pipeline, &stats);
    return stats;
}

static enum weir_status count_calls(struct weir_message *msg, void *state)
{
    (void)state;
    (void)msg;
    shared.handled++;
    return WEIR_OK;
}

static bool has_handled_ten(struct harness *harness)
{
    (void)harness;
    return shared.handled >= 10;
}

static bool has_batched_ten(struct harness *harness)
{
    struct inspection *inspection = NULL;
    bool has_ten;

    assert_int_equal(pipeline_inspect(harness->pipeline, &inspection), WEIR_OK);
    has_ten = inspection->batchers[0].open_messages == 10;
    inspection_destroy(inspection);
    return has_ten;
}

static bool all_are_abandoned(struct harness *harness)
{
    return now(harness).abandoned == 10 && now(harness).in_flight == 0;
}

static void an_open_batch_is_abandoned_at_once(void **state)
{
    struct harness *harness = *state;

    ten_and_pause(harness);
    producer_script_end(harness->source, 0);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = count_calls;
    harness_start(harness, ORDERED LONG_BATCHES PATIENT);
    harness_wait(harness, has_batched_ten);
    producer_script_continue(harness->source);
    harness_wait(harness, all_are_abandoned);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 0);
    assert_int_equal(sink_script_writes(harness->sink), 0);
}

static enum weir_status retry_all(struct weir_message *msg, void *state)
{
    (void)state;
    (void)msg;
    shared.handled++;
    return WEIR_RETRY;
}

static void what_waits_for_a_retry_is_abandoned_at_once(void **state)
{
    struct harness *harness = *state;

    ten_and_pause(harness);
    producer_script_end(harness->source, 0);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = retry_all;
    harness_start(harness, UNORDERED PATIENT);
    harness_wait(harness, has_handled_ten);
    producer_script_continue(harness->source);
    harness_wait(harness, all_are_abandoned);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);
}

static bool one_lane_waits(struct harness *harness)
{
    return now(harness).retries == 1;
}

static void a_lane_that_waits_for_a_retry_is_abandoned_at_once(void **state)
{
    struct harness *harness = *state;

    ten_and_pause(harness);
    producer_script_end(harness->source, 0);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = retry_all;
    harness_start(harness, ORDERED PATIENT);
    harness_wait(harness, one_lane_waits);
    producer_script_continue(harness->source);
    harness_wait(harness, all_are_abandoned);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(shared.handled, 1);
}

static void what_waits_for_a_retry_in_the_sink_is_abandoned_at_once(
    void **state)
{
    struct harness *harness = *state;

    ten_and_pause(harness);
    producer_script_end(harness->source, 0);
    producer_script_set_endless(harness->source);
    sink_script_message(harness->sink, "0:0", WEIR_RETRY, 1, "busy");
    harness_start(harness, ORDERED
                  "batchers: { default: { batch_size: 10, batch_timeout: 10m, "
                  "sink: { SINK } } }\n" PATIENT);
    harness_wait(harness, one_lane_waits);
    producer_script_continue(harness->source);
    harness_wait(harness, all_are_abandoned);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);
}

static enum weir_status batch_waits_at_gate(struct weir_batch *batch,
                                            void *state)
{
    (void)state;
    if (place_is(weir_batch_message(batch, 0), 0, 0))
        gate_pass(&shared.gate);
    return WEIR_OK;
}

static bool nine_are_abandoned(struct harness *harness)
{
    return now(harness).abandoned == 9 && now(harness).in_flight == 1;
}

static void what_waits_behind_a_stuck_sink_is_abandoned_and_it_is_fenced(
    void **state)
{
    struct harness *harness = *state;

    ten_and_pause(harness);
    producer_script_end(harness->source, 0);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = count_calls;
    harness->handler.handle_batch = batch_waits_at_gate;
    harness_start(harness, ORDERED "batchers: { default: { batch_size: 1, "
                                   "batch_timeout: 10m } }\n" PATIENT);
    gate_await(&shared.gate, 1);
    harness_wait(harness, has_handled_ten);
    producer_script_continue(harness->source);
    harness_wait(harness, nine_are_abandoned);
    gate_open(&shared.gate);
    harness_wait(harness, all_are_abandoned);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 0);
    assert_int_equal(harness->stats.fenced, 1);
}

static enum weir_status gate_first(struct weir_message *msg, void *state)
{
    (void)state;
    if (atomic_fetch_add(&shared.running, 1) > 0)
        shared.overlaps++;
    shared.handled++;
    if (shared.handled == 1)
        gate_pass(&shared.gate);
    shared.running--;
    (void)msg;
    return WEIR_OK;
}

/* Chooses the first message of a hand of several. */
static enum weir_status choose_hand(struct weir_message *const *messages,
                                    size_t count, void *state)
{
    (void)state;
    if (count >= 2 && shared.chosen == 0)
        shared.chosen = place_of(messages[0]).number;
    return WEIR_OK;
}

static enum weir_status gate_chosen(struct weir_message *msg, void *state)
{
    (void)state;
    shared.handled++;
    if (shared.chosen > 0 && place_is(msg, 0, shared.chosen))
        gate_pass(&shared.gate);
    return WEIR_OK;
}

static bool some_are_abandoned(struct harness *harness)
{
    return now(harness).abandoned > 0;
}

static bool nothing_is_in_flight(struct harness *harness)
{
    return now(harness).in_flight == 0;
}

#define ONE_LANE                                                               \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 1, ordering: partition }\n"

/* A source that ends when the test says continue. */
static void hundred_and_end(struct harness *harness)
{
    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 100);
    producer_script_pause(harness->source);
    producer_script_end(harness->source, 0);
    producer_script_set_endless(harness->source);
}

static bool only_the_begun_one_is_in_flight(struct harness *harness)
{
    return now(harness).abandoned > 0 && now(harness).in_flight == 1;
}

static void what_a_worker_has_not_begun_is_abandoned_at_once(void **state)
{
    struct harness *harness = *state;

    hundred_and_end(harness);
    harness->handler.prepare_messages = choose_hand;
    harness->handler.handle_message = gate_chosen;
    harness_start(harness, ONE_LANE PATIENT);
    gate_await(&shared.gate, 1);
    producer_script_continue(harness->source);
    harness_wait(harness, only_the_begun_one_is_in_flight);
    gate_open(&shared.gate);
    /* A drain would leave what is not begun, too. */
    harness_wait(harness, nothing_is_in_flight);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(shared.handled, shared.chosen + 1);
    assert_int_equal(harness->stats.received, 100);
    assert_true(harness->stats.fenced >= 1);
}

/* Stays in the callback that has the whole hand. */
static enum weir_status gate_hand(struct weir_message *const *messages,
                                  size_t count, void *state)
{
    const bool was_chosen = shared.chosen > 0;

    (void)choose_hand(messages, count, state);
    if (!was_chosen && shared.chosen > 0)
        gate_pass(&shared.gate);
    return WEIR_OK;
}

static void what_a_worker_has_in_hand_is_not_begun_any_more(void **state)
{
    struct harness *harness = *state;

    hundred_and_end(harness);
    harness->handler.prepare_messages = gate_hand;
    harness->handler.handle_message = gate_chosen;
    harness_start(harness, ONE_LANE PATIENT);
    gate_await(&shared.gate, 1);
    producer_script_continue(harness->source);
    harness_wait(harness, some_are_abandoned);
    gate_open(&shared.gate);
    harness_wait(harness, nothing_is_in_flight);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(shared.handled, shared.chosen);
    assert_int_equal(harness->stats.received, 100);
}

static bool has_reopened(struct harness *harness)
{
    return producer_script_counts(harness->source).opens == 2 &&
           producer_script_counts(harness->source).offered == 20;
}

static void a_lane_of_a_new_epoch_waits_for_the_old_callback(void **state)
{
    struct harness *harness = *state;

    ten_and_pause(harness);
    producer_script_disconnect(harness->source);
    harness->handler.handle_message = gate_first;
    harness_start(harness, ORDERED PATIENT);
    gate_await(&shared.gate, 1);
    producer_script_continue(harness->source);
    harness_wait(harness, has_reopened);
    assert_int_equal(shared.handled, 1);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(shared.overlaps, 0);
    assert_int_equal(shared.handled, 11);
    assert_int_equal(harness->stats.received, 20);
    assert_int_equal(harness->stats.done, 10);
    assert_int_equal(harness->stats.abandoned, 10);
    assert_int_equal(harness->stats.fenced, 1);
    assert_int_equal(harness->stats.reconnects, 1);
}

static void disconnects_under_load_settle_nothing_of_an_old_epoch(void **state)
{
    struct harness *harness = *state;

    for (unsigned source = 0; source < 4; source++)
        producer_script_begin(harness->source, source, "t", (int32_t)source);
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned source = 0; source < 4; source++)
            producer_script_add_many(harness->source, source, 50);
        if (round == 3 || round == 6)
            producer_script_disconnect(harness->source);
    }
    harness_start(harness, ORDERED
                  "batchers: { default: { batch_size: 7, batch_timeout: 5ms, "
                  "concurrency: 2, sink: { SINK } } }\n" PATIENT);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.reconnects, 2);
    assert_int_equal(
        producer_script_counts(harness->source).settled[WEIR_OUTCOME_DONE],
        2000);
    for (unsigned i = 0; i < 2000; i++)
        assert_int_equal(producer_script_outcome(harness->source, i),
                         WEIR_OUTCOME_DONE);
}

/* ---- await ---- */

static void an_await_flushes_open_batches_and_serves_settlements(void **state)
{
    struct harness *harness = *state;

    ten_and_pause(harness);
    producer_script_await(harness->source, 0, 10 * CLOCK_SECOND_US);
    producer_script_end(harness->source, 0);
    harness->handler.handle_message = count_calls;
    harness_start(harness, ORDERED LONG_BATCHES PATIENT);
    harness_wait(harness, has_handled_ten);
    producer_script_continue(harness->source);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 10);
    assert_int_equal(harness->stats.closed_revoke, 1);
    assert_int_equal(producer_script_counts(harness->source).awaits_ended, 1);
}

static bool has_awaited_in_vain(struct harness *harness)
{
    return producer_script_counts(harness->source).awaits_late == 1;
}

static void an_await_ends_at_its_deadline(void **state)
{
    struct harness *harness = *state;
    int64_t began;

    ten_and_pause(harness);
    producer_script_await(harness->source, 0, INT64_C(200000));
    producer_script_end(harness->source, 0);
    harness->handler.handle_message = gate_first;
    harness_start(harness, ORDERED PATIENT);
    gate_await(&shared.gate, 1);
    began = clock_now_us();
    producer_script_continue(harness->source);
    harness_wait(harness, has_awaited_in_vain);
    assert_true(clock_now_us() - began >= INT64_C(190000));
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 0);
    assert_int_equal(harness->stats.abandoned, 10);
    assert_int_equal(shared.handled, 1);
}

static bool is_down(struct harness *harness)
{
    return now(harness).sink_retries > 0;
}

static void an_await_does_not_wait_while_the_destination_is_down(void **state)
{
    struct harness *harness = *state;
    int64_t began;

    ten_and_pause(harness);
    producer_script_await(harness->source, 0, 20 * CLOCK_SECOND_US);
    producer_script_end(harness->source, 0);
    sink_script_write(harness->sink, WEIR_RETRY, SINK_SCRIPT_ALWAYS);
    harness_start(harness, ORDERED
                  "batchers: { default: { batch_size: 5, batch_timeout: 10m, "
                  "sink: { SINK } } }\n" PATIENT);
    harness_wait(harness, is_down);
    began = clock_now_us();
    producer_script_continue(harness->source);

    assert_int_equal(harness_join(harness), 0);
    assert_true(clock_now_us() - began < 5 * CLOCK_SECOND_US);
    assert_int_equal(harness->stats.abandoned, 10);
}

static void an_await_ends_when_the_destination_goes_down(void **state)
{
    struct harness *harness = *state;
    int64_t began;

    ten_and_pause(harness);
    producer_script_await(harness->source, 0, 20 * CLOCK_SECOND_US);
    producer_script_end(harness->source, 0);
    sink_script_write(harness->sink, WEIR_RETRY, SINK_SCRIPT_ALWAYS);
    harness->handler.handle_message = count_calls;
    harness_start(harness, ORDERED LONG_BATCHES PATIENT);
    harness_wait(harness, has_handled_ten);
    began = clock_now_us();
    producer_script_continue(harness->source); /* flushes, and then fails */

    assert_int_equal(harness_join(harness), 0);
    assert_true(clock_now_us() - began < 5 * CLOCK_SECOND_US);
    assert_int_equal(harness->stats.abandoned, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_open_batch_is_abandoned_at_once),
        TEST(what_waits_for_a_retry_is_abandoned_at_once),
        TEST(a_lane_that_waits_for_a_retry_is_abandoned_at_once),
        TEST(what_waits_for_a_retry_in_the_sink_is_abandoned_at_once),
        TEST(what_waits_behind_a_stuck_sink_is_abandoned_and_it_is_fenced),
        TEST(what_a_worker_has_not_begun_is_abandoned_at_once),
        TEST(what_a_worker_has_in_hand_is_not_begun_any_more),
        TEST(a_lane_of_a_new_epoch_waits_for_the_old_callback),
        TEST(disconnects_under_load_settle_nothing_of_an_old_epoch),
        TEST(an_await_flushes_open_batches_and_serves_settlements),
        TEST(an_await_ends_at_its_deadline),
        TEST(an_await_does_not_wait_while_the_destination_is_down),
        TEST(an_await_ends_when_the_destination_goes_down),
    };
    return cmocka_run_group_tests_name("epoch", tests, NULL, NULL);
}
