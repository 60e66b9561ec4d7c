/*
 * outage_test.c - a broker goes away in mid-stream, and comes back, or doesn't.
 *
 * Starts a Kafka of its own, where WEIR_KAFKA says that there is one to start.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "clock.h"
#include "kafka_sink.h"
#include "own_node.h"
#include "sink_rig.h"

enum { STEP = 500, TEXT_SIZE = 5 };

static struct own_node node;

static int start_node(void **state)
{
    (void)state;
    (void)broker_address(); /* skips */
    own_node_start(&node, "kafka", "");
    return 0;
}

static int end_node(void **state)
{
    (void)state;
    own_node_end(&node);
    return 0;
}

static int setup(void **state)
{
    struct sink_rig *rig = sink_rig_of_broker(broker_address(), 1);

    /* A frozen broker is given up after two seconds. */
    test_settings_set(rig->settings, "properties.socket.timeout.ms", "2000");
    test_settings_set(rig->settings, "properties.request.timeout.ms", "1500");
    test_settings_set(rig->settings, "properties.reconnect.backoff.max.ms",
                      "500");
    test_settings_share(rig->settings)->ordering = WEIR_ORDERING_KEY;
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    sink_rig_destroy(*state);
    return 0;
}

/* Every message is there, each for the first time in its order. */
static void assert_nothing_lost(const struct sink_rig *rig, unsigned count,
                                bool is_once)
{
    struct arrived *arrived = sink_rig_read(rig, rig->topic);
    unsigned next = 0;

    for (size_t i = 0; i < arrived->count; i++) {
        const rd_kafka_message_t *msg = arrived->messages[i];
        char text[TEXT_SIZE] = "";
        unsigned number;

        assert_int_equal(msg->len, TEXT_SIZE - 1);
        memcpy(text, msg->payload, msg->len);
        number = (unsigned)strtoul(text, NULL, 10);
        assert_true(number <= next);
        next += number == next;
    }
    assert_int_equal(next, count);
    if (is_once)
        assert_int_equal(arrived->count, count);
    arrived_destroy(arrived);
}

/* A batch is under way when it happens, and another one comes meanwhile. */
static void survive(struct sink_rig *rig, const char *down, const char *up)
{
    struct weir_batch *batches[3];

    for (unsigned i = 0; i < 3; i++)
        batches[i] = sink_rig_batch(rig, i * STEP, STEP, "k");
    sink_rig_open(rig);
    sink_rig_deliver(rig, batches[0]);
    sink_rig_write(rig, batches[1]);
    own_node_do(&node, down);
    sink_rig_write(rig, batches[2]);
    while (!rig->was_held)
        sink_rig_poll(rig);
    assert_true(test_batch_open_count(batches[2]) > 0);
    own_node_do(&node, up);
    sink_rig_serve(rig, batches[1]);
    sink_rig_serve(rig, batches[2]);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(test_batch_open_count(batches[i]), 0);
        test_batch_destroy(batches[i]);
    }
}

static void a_restart_in_mid_stream_loses_nothing(void **state)
{
    survive(*state, "stop", "restart");
    assert_nothing_lost(*state, 3 * STEP, true);
}

static void a_broker_that_dies_and_comes_back_loses_nothing(void **state)
{
    survive(*state, "kill", "restart");
    assert_nothing_lost(*state, 3 * STEP, false);
}

/* Its connections were cut while it had what was sent: that is sent again, and
 * it knows that it has it. */
static void a_cut_connection_repeats_nothing(void **state)
{
    survive(*state, "freeze", "thaw");
    assert_nothing_lost(*state, 3 * STEP, true);
}

static void close_with_a_broker_that(struct sink_rig *rig, const char *verb,
                                     const char *undo)
{
    struct weir_batch *first = sink_rig_batch(rig, 0, STEP, "k");
    struct weir_batch *second = sink_rig_batch(rig, STEP, STEP, "k");
    int64_t started_us;

    sink_rig_open(rig);
    sink_rig_deliver(rig, first);
    own_node_do(&node, verb);
    sink_rig_write(rig, second);
    started_us = clock_now_us();
    sink_rig_close_by(rig, started_us + 2 * CLOCK_SECOND_US);
    assert_true(clock_now_us() - started_us < 3 * CLOCK_SECOND_US);
    assert_int_equal(test_batch_open_count(second), STEP);
    own_node_do(&node, undo);
    sink_rig_reopen(rig);
    sink_rig_deliver(rig, second);
    assert_nothing_lost(rig, 2 * STEP, false);
    test_batch_destroy(first);
    test_batch_destroy(second);
}

static void closing_is_over_in_time_when_the_broker_is_down(void **state)
{
    close_with_a_broker_that(*state, "stop", "restart");
}

static void closing_is_over_in_time_when_the_broker_is_frozen(void **state)
{
    close_with_a_broker_that(*state, "freeze", "thaw");
}

static void a_frozen_broker_is_given_up_by_the_open(void **state)
{
    struct sink_rig *rig = *state;

    own_node_do(&node, "freeze");
    weir_kafka_sink.wake(rig->self); /* is no reason to give it up */
    rig->is_open = true;
    assert_int_equal(weir_kafka_sink.open(rig->self, rig->settings, &rig->err),
                     WEIR_RETRY);
    assert_non_null(strstr(rig->err.text, rig->address));
    assert_null(strstr(rig->err.text, "interrupted"));
    own_node_do(&node, "thaw");
    sink_rig_reopen(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_restart_in_mid_stream_loses_nothing),
        TEST(a_broker_that_dies_and_comes_back_loses_nothing),
        TEST(a_cut_connection_repeats_nothing),
        TEST(closing_is_over_in_time_when_the_broker_is_down),
        TEST(closing_is_over_in_time_when_the_broker_is_frozen),
        TEST(a_frozen_broker_is_given_up_by_the_open),
    };
    return cmocka_run_group_tests_name("kafka_sink_outage", tests, start_node,
                                       end_node);
}
