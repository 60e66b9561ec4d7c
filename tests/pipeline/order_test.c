/*
 * order_test.c - what `ordering:` promises: per lane in order, handled and
 * delivered, and no lane waits for another.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>

#include "lanes.h"

#define teardown harness_teardown

static struct {
    struct gate gate;
    _Atomic unsigned handled, overtaken;
} shared;

static int setup(void **state)
{
    shared.gate = (struct gate)GATE_CLOSED;
    shared.handled = shared.overtaken = 0;
    return harness_setup(state);
}

#define FAILURE                                                                \
    "failure: { then: drop, retry: { attempts: 5, "                            \
    "backoff: { min: 1ms, max: 4ms } } }\n"
#define PATIENT                                                                \
    "failure: { then: drop, retry: { attempts: 5, "                            \
    "backoff: { min: 10m, max: 10m } } }\n"
#define BY_PARTITION                                                           \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 4, ordering: partition }\n"
#define BY_KEY                                                                 \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 4, ordering: key }\n"
#define SMALL_WINDOW                                                           \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2, ordering: partition, "     \
    "max_demand: 128, min_demand: 64 }\n"
#define THREE_SINKS                                                            \
    "batchers: { default: { batch_size: 7, batch_timeout: 5ms, "               \
    "concurrency: 3, sink: { SINK } } }\n"

/* Sources 0 .. lanes - 1, their records mixed. */
static void offer_sources(struct harness *harness, unsigned lanes,
                          unsigned count)
{
    for (unsigned lane = 0; lane < lanes; lane++)
        producer_script_begin(harness->source, lane, "t", (int32_t)lane);
    for (unsigned number = 0; number < count; number++) {
        for (unsigned lane = 0; lane < lanes; lane++) {
            char text[32];

            (void)snprintf(text, sizeof text, "%u:%u", lane, number);
            producer_script_add(harness->source, lane, NULL, text);
        }
    }
}

/* One source; the lane is the key. */
static void offer_keys(struct harness *harness, unsigned lanes, unsigned count)
{
    producer_script_begin(harness->source, 0, "t", 0);
    for (unsigned number = 0; number < count; number++) {
        for (unsigned lane = 0; lane < lanes; lane++) {
            char text[32], key[16];

            (void)snprintf(text, sizeof text, "%u:%u", lane, number);
            (void)snprintf(key, sizeof key, "%u", lane);
            producer_script_add(harness->source, 0, key, text);
        }
    }
}

static struct collection *delivered(struct harness *harness)
{
    return sink_script_delivered(harness->sink);
}

static void a_partition_is_delivered_in_order_by_several_workers(void **state)
{
    struct harness *harness = *state;

    offer_sources(harness, 8, 250);

    assert_int_equal(harness_run(harness, BY_PARTITION THREE_SINKS FAILURE), 0);

    assert_in_order(delivered(harness), 8, 250);
}

static void a_key_is_delivered_in_order_by_several_workers(void **state)
{
    struct harness *harness = *state;

    offer_keys(harness, 40, 50);

    assert_int_equal(harness_run(harness, BY_KEY THREE_SINKS FAILURE), 0);

    assert_in_order(delivered(harness), 40, 50);
}

static enum weir_status retry_some(struct weir_message *msg, void *state)
{
    const struct place place = place_of(msg);

    (void)state;
    return place.number % 20 == place.lane && weir_message_attempt(msg) < 3
               ? WEIR_RETRY
               : WEIR_OK;
}

static void a_message_that_the_handler_retries_is_never_overtaken(void **state)
{
    struct harness *harness = *state;

    offer_keys(harness, 10, 100);
    harness->handler.handle_message = retry_some;

    assert_int_equal(harness_run(harness, BY_KEY THREE_SINKS FAILURE), 0);

    assert_in_order(delivered(harness), 10, 100);
    assert_int_equal(harness->stats.retries, 100);
}

static enum weir_status retry_lane_0(struct weir_message *msg, void *state)
{
    (void)state;
    shared.handled++;
    return place_is(msg, 0, 5) ? WEIR_RETRY : WEIR_OK;
}

static bool others_are_delivered(struct harness *harness)
{
    return collection_count(delivered(harness)) == 5 + 3 * 30;
}

static void a_retry_in_the_handler_holds_its_lane_only(void **state)
{
    struct harness *harness = *state;

    offer_sources(harness, 4, 30);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = retry_lane_0;
    harness_start(harness, BY_PARTITION THREE_SINKS PATIENT);
    harness_wait(harness, others_are_delivered);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);

    assert_int_equal(count_delivered(delivered(harness), 0), 5);
    assert_int_equal(shared.handled, 6 + 3 * 30); /* nothing behind it */
    assert_int_equal(harness->stats.abandoned, 25);
}

static void what_follows_a_message_that_the_sink_retries_is_repeated(
    void **state)
{
    struct harness *harness = *state;

    offer_sources(harness, 3, 40);
    sink_script_message(harness->sink, "0:3", WEIR_RETRY, 2, "busy");

    assert_int_equal(
        harness_run(harness, BY_PARTITION
                    "batchers: { default: { batch_size: 15, "
                    "batch_timeout: 5ms, sink: { SINK } } }\n" FAILURE),
        0);

    assert_in_order_at_last(delivered(harness), 3, 40);
    assert_int_equal(times_delivered(delivered(harness), 0, 3), 1);
    assert_int_equal(times_delivered(delivered(harness), 0, 2), 1);
    assert_int_equal(harness->stats.retries, 2);
    assert_int_equal(harness->stats.done, 120);
    for (unsigned number = 0; number < 40; number++)
        assert_int_equal(times_delivered(delivered(harness), 1, number), 1);
}

static void later_batches_of_a_lane_wait_for_a_retry_in_the_sink(void **state)
{
    struct harness *harness = *state;

    offer_sources(harness, 1, 40);
    sink_script_message(harness->sink, "0:3", WEIR_RETRY, 3, "busy");

    assert_int_equal(
        harness_run(harness, BY_PARTITION
                    "batchers: { default: { batch_size: 4, "
                    "batch_timeout: 5ms, sink: { SINK } } }\n" FAILURE),
        0);

    assert_in_order_at_last(delivered(harness), 1, 40);
    for (unsigned number = 7; number < 40; number++)
        assert_true(first_delivered(delivered(harness), 0, number) >
                    last_delivered(delivered(harness), 0, 3));
}

static void an_ordered_sink_with_batches_in_flight_keeps_the_order(void **state)
{
    struct harness *harness = *state;

    offer_sources(harness, 3, 100);
    sink_script_message(harness->sink, "0:33", WEIR_RETRY, 2, "busy");
    sink_script_message(harness->sink, "2:70", WEIR_RETRY, 2, "busy");
    sink_script_set_late(harness->sink, false);

    assert_int_equal(
        harness_run(
            harness, BY_PARTITION
            "batchers: { default: { batch_size: 10, batch_timeout: 5ms, "
            "max_in_flight: 3, sink: { ORDERED_SINK } } }\n" FAILURE),
        0);

    assert_in_order_at_last(delivered(harness), 3, 100);
    assert_int_equal(harness->stats.done, 300);
}

static bool lanes_1_to_3_are_delivered(struct harness *harness)
{
    return count_delivered(delivered(harness), 1) == 30 &&
           count_delivered(delivered(harness), 2) == 30 &&
           count_delivered(delivered(harness), 3) == 30;
}

static void a_retry_in_the_sink_holds_its_lane_only(void **state)
{
    struct harness *harness = *state;

    offer_sources(harness, 4, 30);
    producer_script_set_endless(harness->source);
    sink_script_message(harness->sink, "0:5", WEIR_RETRY, SINK_SCRIPT_ALWAYS,
                        "busy");
    harness_start(harness, BY_PARTITION THREE_SINKS PATIENT);
    harness_wait(harness, lanes_1_to_3_are_delivered);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);

    assert_int_equal(harness->stats.done, 3 * 30 + 5);
    assert_int_equal(harness->stats.abandoned, 25);
    for (unsigned number = 5; number < 30; number++)
        assert_int_equal(
            producer_script_outcome(harness->source, (size_t)number * 4),
            WEIR_OUTCOME_LEAVE);
}

static enum weir_status key_by_number(struct weir_message *msg, void *state)
{
    static const char *const keys[] = {"a", "b", "c"};

    (void)state;
    weir_message_set_batch_key(msg, weir_str(keys[place_of(msg).number % 3]));
    return WEIR_OK;
}

static void a_lane_keeps_its_order_within_a_batch_key(void **state)
{
    struct harness *harness = *state;
    unsigned next[4][3] = {{0}};

    offer_sources(harness, 4, 150);
    harness->handler.handle_message = key_by_number;

    assert_int_equal(harness_run(harness, BY_PARTITION THREE_SINKS FAILURE), 0);

    assert_int_equal(collection_count(delivered(harness)), 600);
    for (size_t i = 0; i < 600; i++) {
        const struct collected *one = collection_get(delivered(harness), i);
        const unsigned key = (unsigned)(one->key[0] - 'a');
        unsigned lane, number;

        assert_int_equal(sscanf(one->payload, "%u:%u", &lane, &number), 2);
        assert_int_equal(number, 3 * next[lane][key] + key);
        next[lane][key]++;
    }
}

static enum weir_status gate_lane_0(struct weir_message *msg, void *state)
{
    (void)state;
    if (place_is(msg, 0, 0))
        gate_pass(&shared.gate);
    shared.handled++;
    return WEIR_OK;
}

static void a_slow_lane_parks_no_other(void **state)
{
    struct harness *harness = *state;

    offer_sources(harness, 4, 30);
    harness->handler.handle_message = gate_lane_0;
    harness_start(harness, BY_PARTITION THREE_SINKS FAILURE);
    harness_wait(harness, lanes_1_to_3_are_delivered);
    assert_int_equal(count_delivered(delivered(harness), 0), 0);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), 0);
    assert_in_order(delivered(harness), 4, 30);
}

static bool the_others_are_delivered(struct harness *harness)
{
    return collection_count(delivered(harness)) == (size_t)3 * 400;
}

static void a_stuck_source_is_held_while_the_others_flow(void **state)
{
    struct harness *harness = *state;

    offer_sources(harness, 4, 400);
    harness->handler.handle_message = gate_lane_0;
    harness_start(harness, SMALL_WINDOW THREE_SINKS FAILURE);
    harness_wait(harness, the_others_are_delivered);
    assert_true(producer_script_counts(harness->source).offered < 4 * 400);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), 0);
    assert_in_order(delivered(harness), 4, 400);
    assert_true(producer_script_counts(harness->source).releases > 0);
}

static bool is_held_and_the_other_flows(struct harness *harness)
{
    return producer_script_counts(harness->source).holds == 1 &&
           count_delivered(delivered(harness), 1) >= 5;
}

static bool the_last_is_delivered(struct harness *harness)
{
    return count_delivered(delivered(harness), 1) == 6;
}

static void a_source_that_was_alone_is_held_when_another_begins(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 100);
    producer_script_pause(harness->source);
    producer_script_begin(harness->source, 1, "t", 1);
    producer_script_add_many(harness->source, 1, 5);
    producer_script_pause(harness->source);
    producer_script_add_many(harness->source, 0, 50);
    producer_script_add_many(harness->source, 1, 1);
    harness->handler.handle_message = gate_lane_0;
    harness_start(harness, SMALL_WINDOW THREE_SINKS FAILURE);
    gate_await(&shared.gate, 1);
    producer_script_continue(harness->source);
    harness_wait(harness, is_held_and_the_other_flows);
    producer_script_continue(harness->source);
    harness_wait(harness, the_last_is_delivered);
    assert_int_equal(producer_script_counts(harness->source).offered, 106);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 156);
    assert_true(producer_script_counts(harness->source).releases > 0);
}

static bool has_handled_nine(struct harness *harness)
{
    (void)harness;
    return shared.handled == 9;
}

/* Ten messages with ten keys. */
static void offer_ten_keys(struct harness *harness, bool with_keys)
{
    producer_script_begin(harness->source, 0, "t", 0);
    for (unsigned number = 0; number < 10; number++) {
        char text[32];

        (void)snprintf(text, sizeof text, "0:%u", number);
        producer_script_add(harness->source, 0, with_keys ? text : NULL, text);
    }
    producer_script_set_endless(harness->source);
}

static void messages_without_a_key_have_no_order(void **state)
{
    struct harness *harness = *state;

    offer_ten_keys(harness, false);
    harness->handler.handle_message = gate_lane_0;
    harness_start(harness, BY_KEY FAILURE);
    harness_wait(harness, has_handled_nine);
    gate_open(&shared.gate);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 10);
}

static enum weir_status gate_first(struct weir_message *msg, void *state)
{
    (void)state;
    if (place_is(msg, 0, 0))
        gate_pass(&shared.gate);
    shared.overtaken += place_of(msg).number != shared.handled;
    shared.handled++;
    return WEIR_OK;
}

static bool has_offered_ten(struct harness *harness)
{
    return producer_script_counts(harness->source).offered == 10;
}

static void an_ordering_key_is_rendered_from_its_template(void **state)
{
    struct harness *harness = *state;

    offer_ten_keys(harness, true);
    harness->handler.handle_message = gate_first;
    harness_start(harness,
                  "producer: { SOURCE }\n"
                  "processors: { handler: linked, concurrency: 4, "
                  "ordering: key, ordering_key: '%{topic}' }\n" FAILURE);
    gate_await(&shared.gate, 1);
    harness_wait(harness, has_offered_ten);
    gate_open(&shared.gate);
    assert_true(producer_script_wait(harness->source, 10,
                                     clock_after_us(10 * CLOCK_SECOND_US)));
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(shared.handled, 10);
    assert_int_equal(shared.overtaken, 0);
}

static bool has_handled_a_hundred(struct harness *harness)
{
    (void)harness;
    return shared.handled == 100;
}

static void a_slow_message_parks_nothing_that_comes_while_a_worker_is_idle(
    void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add(harness->source, 0, NULL, "0:0");
    producer_script_pause(harness->source);
    producer_script_begin(harness->source, 1, "t", 1);
    producer_script_add_many(harness->source, 1, 100);
    harness->handler.handle_message = gate_lane_0;
    harness_start(harness, "producer: { SOURCE }\n"
                           "processors: { handler: linked, concurrency: 2, "
                           "ordering: none }\n" FAILURE);
    gate_await(&shared.gate, 1);
    producer_script_continue(harness->source);
    harness_wait(harness, has_handled_a_hundred);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 101);
}

/* ---- what is abandoned takes what is behind it with it ---- */

static void what_is_behind_a_message_that_stops_the_run_is_left(void **state)
{
    struct harness *harness = *state;

    offer_sources(harness, 1, 30);
    producer_script_set_endless(harness->source);
    sink_script_message(harness->sink, "0:9", WEIR_REJECT, 1, "no");

    assert_int_equal(
        harness_run(harness, BY_PARTITION
                    "batchers: { default: { batch_size: 4, batch_timeout: 5ms, "
                    "sink: { SINK } } }\n"
                    "failure: { then: stop }\n"),
        PIPELINE_EXIT_STOPPED);

    assert_int_equal(harness->stats.done, 9);
    for (unsigned number = 9; number < 30; number++)
        assert_int_not_equal(producer_script_outcome(harness->source, number),
                             WEIR_OUTCOME_DONE);
    assert_int_equal(first_delivered(delivered(harness), 0, 12), -1);
}

static enum weir_status reject_nine(struct weir_message *msg, void *state)
{
    (void)state;
    shared.handled++;
    return place_is(msg, 0, 9) ? WEIR_REJECT : WEIR_OK;
}

static void what_is_behind_a_rejected_message_is_left_when_it_stops(
    void **state)
{
    struct harness *harness = *state;

    offer_sources(harness, 1, 30);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = reject_nine;

    assert_int_equal(harness_run(harness, BY_PARTITION THREE_SINKS
                                 "failure: { then: stop }\n"),
                     PIPELINE_EXIT_STOPPED);

    assert_in_order(delivered(harness), 1, 9);
    assert_int_equal(harness->stats.abandoned, harness->stats.received - 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_partition_is_delivered_in_order_by_several_workers),
        TEST(a_key_is_delivered_in_order_by_several_workers),
        TEST(a_message_that_the_handler_retries_is_never_overtaken),
        TEST(a_retry_in_the_handler_holds_its_lane_only),
        TEST(what_follows_a_message_that_the_sink_retries_is_repeated),
        TEST(later_batches_of_a_lane_wait_for_a_retry_in_the_sink),
        TEST(an_ordered_sink_with_batches_in_flight_keeps_the_order),
        TEST(a_retry_in_the_sink_holds_its_lane_only),
        TEST(a_lane_keeps_its_order_within_a_batch_key),
        TEST(a_slow_lane_parks_no_other),
        TEST(a_stuck_source_is_held_while_the_others_flow),
        TEST(a_source_that_was_alone_is_held_when_another_begins),
        TEST(messages_without_a_key_have_no_order),
        TEST(an_ordering_key_is_rendered_from_its_template),
        TEST(a_slow_message_parks_nothing_that_comes_while_a_worker_is_idle),
        TEST(what_is_behind_a_message_that_stops_the_run_is_left),
        TEST(what_is_behind_a_rejected_message_is_left_when_it_stops),
    };
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
