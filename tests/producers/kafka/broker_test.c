/*
 * broker_test.c - the Kafka producer reads and commits at a real broker.
 *
 * Needs WEIR_KAFKA=host:port.  Every test has a topic and a group of its own.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "clock.h"
#include "kafka_producer.h"
#include "member.h"

enum { WAIT_S = 30 };

static int setup(void **state)
{
    *state = member_create(broker_address(), NULL);
    return 0;
}

static int teardown(void **state)
{
    member_destroy(*state);
    return 0;
}

static void everything_is_consumed_and_committed(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 3);
    for (int32_t partition = 0; partition < 3; partition++)
        broker_produce(member->address, member->topic, partition, "m", 0, 1000);
    member_open(member);

    fake_intake_pull(&member->intake, 3000, WAIT_S);
    assert_int_equal(member->intake.count, 3000);
    member_finish(member);

    for (int32_t partition = 0; partition < 3; partition++)
        assert_int_equal(member_committed(member, partition), 1000);
}

static void a_record_has_everything_that_was_sent(void **state)
{
    struct member *member = *state;
    const struct fake_record *records;

    member_make_topic(member, 1);
    member->share->max_message_bytes = 1000;
    broker_produce(member->address, member->topic, 0, "hello", 7, 1);
    broker_produce_sized(member->address, member->topic, 0, 0);
    broker_produce_sized(member->address, member->topic, 0, 1000);
    broker_produce_sized(member->address, member->topic, 0, 1001);
    member_open(member);
    fake_intake_pull(&member->intake, 4, WAIT_S);
    assert_int_equal(member->intake.count, 4);

    records = member->intake.records;
    assert_string_equal(records[0].topic, member->topic);
    assert_string_equal(records[0].payload, "hello 7");
    assert_string_equal(records[0].key, "k");
    assert_string_equal(records[0].header, "v");
    assert_false(records[1].has_payload);
    assert_int_equal(records[1].omitted, 0);
    assert_true(records[2].has_payload);
    assert_false(records[3].has_payload);
    assert_int_equal(records[3].omitted, 1001);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(records[i].ticket, i);
}

static void the_commit_never_passes_an_open_message(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    broker_produce(member->address, member->topic, 0, "m", 0, 100);
    member_open(member);
    fake_intake_pull(&member->intake, 100, WAIT_S);
    assert_int_equal(member->intake.count, 100);

    for (size_t i = 100; i-- > 0;)
        if (i != 37)
            fake_intake_settle(&member->intake, i);
    weir_kafka_producer.drain(member->intake.self);
    assert_int_equal(fake_intake_pull_to_end(&member->intake, 0, WAIT_S),
                     WEIR_DONE);
    assert_int_equal(member_committed(member, 0), 37);

    fake_intake_settle(&member->intake, 37);
    member_close(member); /* commits what was settled after the end */
    assert_int_equal(member_committed(member, 0), 100);
}

static void what_was_not_committed_comes_again(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    broker_produce(member->address, member->topic, 0, "m", 0, 10);
    member_open(member);
    fake_intake_pull(&member->intake, 10, WAIT_S);
    for (size_t i = 0; i < 4; i++)
        fake_intake_settle(&member->intake, i);
    member_close(member);

    fake_intake_reset(&member->intake);
    member_open(member);
    fake_intake_pull(&member->intake, 6, WAIT_S);

    assert_int_equal(member->intake.count, 6);
    assert_int_equal(member->intake.records[0].offset, 4);
}

static void a_single_message_wakes_a_sleeping_producer(void **state)
{
    struct member *member = *state;
    const int64_t started_us = clock_now_us();

    member_make_topic(member, 4);
    member_open(member);
    member_join(member, 4);

    for (unsigned i = 0; i < 200; i++) {
        broker_produce(member->address, member->topic, (int32_t)(i % 4), "m", i,
                       1);
        fake_intake_pull(&member->intake, i + 1, WAIT_S);
        assert_int_equal(member->intake.count, i + 1);
    }
    /* One lost wake-up costs no less than the sleep that it should have cut
     * short; two hundred of them would be noticed. */
    assert_true(clock_now_us() - started_us < 60 * CLOCK_SECOND_US);
}

static void a_held_partition_is_not_read_and_others_are(void **state)
{
    struct member *member = *state;
    uint32_t held;

    member_make_topic(member, 2);
    member->intake.hold_at = 0;
    broker_produce(member->address, member->topic, 0, "m", 0, 50);
    broker_produce(member->address, member->topic, 1, "m", 0, 50);
    member_open(member);

    fake_intake_pull(&member->intake, 51, WAIT_S);
    held = member->intake.records[0].source;
    for (size_t i = 1; i < 51; i++)
        assert_int_not_equal(member->intake.records[i].source, held);

    weir_kafka_producer.release(member->intake.self, held);
    fake_intake_pull(&member->intake, 100, WAIT_S);
    assert_int_equal(member->intake.count, 100);
}

static void a_refused_message_is_offered_again_first(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    broker_produce(member->address, member->topic, 0, "m", 0, 20);
    member_open(member);
    member->intake.refuse_from = 5;
    fake_intake_pull(&member->intake, 6, 2);
    assert_int_equal(member->intake.count, 5);

    member->intake.refuse_from = SIZE_MAX;
    fake_intake_pull(&member->intake, 20, WAIT_S);

    for (int64_t i = 0; i < 20; i++) {
        assert_int_equal(member->intake.records[i].offset, i);
        assert_int_equal(member->intake.records[i].ticket, i);
    }
}

static void a_full_window_waits_for_the_commit(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    test_settings_set(member->settings, "max_uncommitted", "200");
    test_settings_set(member->settings, "commit_interval", "600s");
    broker_produce(member->address, member->topic, 0, "m", 0, 1000);
    member_open(member);

    fake_intake_pull(&member->intake, 201, 2);
    assert_int_equal(member->intake.count, 200);
    assert_int_equal(member->intake.sources[0].starved, 1);

    fake_intake_settle_all(&member->intake);
    fake_intake_pull(&member->intake, 400, WAIT_S);
    assert_int_equal(member->intake.count, 400);
    assert_int_equal(member_committed(member, 0), 200);
}

static void demand_zero_keeps_the_member_in_its_group(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    test_settings_set(member->settings, "properties.max.poll.interval.ms",
                      "6000");
    test_settings_set(member->settings, "drain_timeout", "1s");
    test_settings_set(member->settings, "properties.session.timeout.ms",
                      "6000");
    broker_produce(member->address, member->topic, 0, "m", 0, 10);
    member_open(member);
    member_join(member, 1);

    assert_int_equal(fake_intake_pull_to_end(&member->intake, 0, 9),
                     WEIR_AGAIN);
    assert_int_equal(member->intake.count, 0);
    assert_int_equal(member->intake.ended, 0);

    fake_intake_pull(&member->intake, 10, WAIT_S);
    member_finish(member);
    assert_int_equal(member_committed(member, 0), 10);
}

static void lag_counts_what_is_still_at_the_broker(void **state)
{
    struct member *member = *state;
    const int64_t deadline_us = clock_after_us(WAIT_S * CLOCK_SECOND_US);

    member_make_topic(member, 1);
    broker_produce(member->address, member->topic, 0, "m", 0, 100);
    member_open(member);
    fake_intake_pull(&member->intake, 30, WAIT_S);
    while (member->intake.sources[0].lag != 70) {
        assert_true(clock_now_us() < deadline_us);
        (void)fake_intake_pull_to_end(&member->intake, 0, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_is_consumed_and_committed),
        TEST(a_record_has_everything_that_was_sent),
        TEST(the_commit_never_passes_an_open_message),
        TEST(what_was_not_committed_comes_again),
        TEST(a_single_message_wakes_a_sleeping_producer),
        TEST(a_held_partition_is_not_read_and_others_are),
        TEST(a_refused_message_is_offered_again_first),
        TEST(a_full_window_waits_for_the_commit),
        TEST(demand_zero_keeps_the_member_in_its_group),
        TEST(lag_counts_what_is_still_at_the_broker),
    };

    (void)broker_address();
    return cmocka_run_group_tests_name("kafka_broker", tests, NULL, NULL);
}
