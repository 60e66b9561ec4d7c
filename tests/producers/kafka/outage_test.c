/*
 * outage_test.c - a broker goes away, and comes back, or doesn't.
 *
 * Starts a Kafka of its own, where WEIR_KAFKA says that there is one to start.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "broker.h"
#include "clock.h"
#include "kafka_producer.h"
#include "member.h"
#include "own_node.h"

enum { WAIT_S = 90 };

static struct own_node node;

static int start_node(void **state)
{
    (void)state;
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
    struct member *member = member_create(broker_address(), NULL);

    member_make_topic(member, 2);
    broker_produce(member->address, member->topic, 0, "m", 0, 500);
    broker_produce(member->address, member->topic, 1, "m", 0, 500);
    member_open(member);
    *state = member;
    return 0;
}

static int teardown(void **state)
{
    member_destroy(*state);
    return 0;
}

static void expect_each_once(const struct member *member,
                             unsigned per_partition)
{
    int64_t next[2] = {0, 0};

    for (size_t i = 0; i < member->intake.count; i++) {
        const struct fake_record *record = &member->intake.records[i];

        assert_int_equal(record->offset, next[record->partition]++);
    }
    assert_int_equal(next[0], per_partition);
    assert_int_equal(next[1], per_partition);
}

/* Settled before, during and after; nothing is lost, and without a rebalance
 * nothing repeats. */
static void survive(struct member *member, const char *down, const char *up)
{
    fake_intake_pull(&member->intake, 300, WAIT_S);
    own_node_do(&node, down);
    fake_intake_settle_all(&member->intake);
    fake_intake_pull(&member->intake, 1000, 5);
    own_node_do(&node, up);
    broker_produce(member->address, member->topic, 0, "m", 500, 100);
    broker_produce(member->address, member->topic, 1, "m", 500, 100);

    fake_intake_pull(&member->intake, 1200, WAIT_S);
    assert_int_equal(member->intake.count, 1200);
    expect_each_once(member, 600);
    member_finish(member);
    assert_int_equal(member_committed(member, 0), 600);
    assert_int_equal(member_committed(member, 1), 600);
}

static void a_restart_in_mid_stream_loses_nothing(void **state)
{
    survive(*state, "stop", "restart");
}

static void a_frozen_broker_that_thaws_loses_nothing(void **state)
{
    survive(*state, "freeze", "thaw");
}

static void close_with_a_broker_that(struct member *member, const char *verb,
                                     const char *undo)
{
    int64_t started_us;

    fake_intake_pull(&member->intake, 300, WAIT_S);
    own_node_do(&node, verb);
    fake_intake_settle_all(&member->intake);
    started_us = clock_now_us();
    weir_kafka_producer.close(member->intake.self,
                              started_us + 2 * CLOCK_SECOND_US);
    assert_true(clock_now_us() - started_us < 3 * CLOCK_SECOND_US);
    member->is_open = false;
    own_node_do(&node, undo);
}

static void closing_is_over_in_time_when_the_broker_is_down(void **state)
{
    close_with_a_broker_that(*state, "stop", "restart");
}

static void closing_is_over_in_time_when_the_broker_is_frozen(void **state)
{
    close_with_a_broker_that(*state, "freeze", "thaw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_restart_in_mid_stream_loses_nothing),
        TEST(a_frozen_broker_that_thaws_loses_nothing),
        TEST(closing_is_over_in_time_when_the_broker_is_down),
        TEST(closing_is_over_in_time_when_the_broker_is_frozen),
    };

    (void)broker_address();
    return cmocka_run_group_tests_name("kafka_outage", tests, start_node,
                                       end_node);
}
