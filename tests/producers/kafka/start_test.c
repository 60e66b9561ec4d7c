/*
 * start_test.c - where a partition begins, goes on, and ends, at a real broker.
 *
 * Needs WEIR_KAFKA=host:port.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static void earliest_begins_with_the_first_message(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    broker_produce(member->address, member->topic, 0, "m", 0, 10);
    member_open(member);

    fake_intake_pull(&member->intake, 10, WAIT_S);

    assert_int_equal(member->intake.records[0].offset, 0);
}

static void latest_skips_what_was_there(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    test_settings_set(member->settings, "start", "latest");
    broker_produce(member->address, member->topic, 0, "old", 0, 10);
    member_open(member);
    member_join(member, 1);
    broker_produce(member->address, member->topic, 0, "new", 0, 1);

    fake_intake_pull(&member->intake, 1, WAIT_S);

    assert_string_equal(member->intake.records[0].payload, "new 0");
}

static void an_idle_partition_keeps_the_start_it_had(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 2);
    test_settings_set(member->settings, "start", "latest");
    broker_produce(member->address, member->topic, 0, "old", 0, 10);
    member_open(member);
    member_join(member, 2);
    assert_int_equal(member_committed(member, 0), 10);
    assert_int_equal(member_committed(member, 1), 0);
    member_close(member);

    broker_produce(member->address, member->topic, 0, "meanwhile", 0, 1);
    broker_produce(member->address, member->topic, 1, "meanwhile", 0, 1);
    member_open(member);
    fake_intake_pull(&member->intake, 2, WAIT_S);

    assert_int_equal(member->intake.count, 2);
    assert_string_equal(member->intake.records[0].payload, "meanwhile 0");
    assert_string_equal(member->intake.records[1].payload, "meanwhile 0");
}

static void a_partition_that_came_later_begins_at_its_first_message(
    void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    test_settings_set(member->settings, "start", "latest");
    member_open(member);
    member_join(member, 1);
    member_close(member);

    broker_add_partitions(member->address, member->topic, 2);
    broker_produce(member->address, member->topic, 1, "later", 0, 3);
    member_open(member);
    fake_intake_pull(&member->intake, 3, WAIT_S);

    assert_int_equal(member->intake.count, 3);
    assert_int_equal(member->intake.records[0].partition, 1);
}

static void a_partition_that_is_added_is_read_without_a_restart(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    test_settings_set(member->settings, "start", "latest");
    member_open(member);
    member_join(member, 1);

    broker_add_partitions(member->address, member->topic, 2);
    broker_produce(member->address, member->topic, 1, "later", 0, 3);
    /* The memory was shared out for one: it asks to be opened anew. */
    assert_int_equal(fake_intake_pull_to_end(&member->intake, 0, WAIT_S),
                     WEIR_RETRY);
    member_close(member);
    fake_intake_reset(&member->intake);
    member_open(member);
    fake_intake_pull(&member->intake, 3, WAIT_S);

    assert_int_equal(member->intake.count, 3);
}

static void a_time_begins_with_the_first_message_from_then_on(void **state)
{
    struct member *member = *state;
    struct timespec now;
    char start[40];

    member_make_topic(member, 2);
    broker_produce(member->address, member->topic, 0, "old", 0, 5);
    clock_gettime(CLOCK_REALTIME, &now);
    (void)snprintf(start, sizeof start, "%lld",
                   (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1);
    test_settings_set(member->settings, "start", start);
    broker_wait_until_ms(strtoll(start, NULL, 10));
    broker_produce(member->address, member->topic, 0, "new", 0, 5);
    member_open(member);

    fake_intake_pull(&member->intake, 5, WAIT_S);

    assert_string_equal(member->intake.records[0].payload, "new 0");
    assert_int_equal(member_committed(member, 1), 0); /* at its end */
}

static void a_gap_is_crossed_and_counted(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    broker_produce(member->address, member->topic, 0, "m", 0, 100);
    broker_commit(member->address, member->group, member->topic, 0, 10);
    broker_delete_records(member->address, member->topic, 0, 40);
    member_open(member);

    fake_intake_pull(&member->intake, 60, WAIT_S);

    assert_int_equal(member->intake.count, 60);
    assert_int_equal(member->intake.records[0].offset, 40);
    assert_int_equal(member->intake.gaps, 30);
    member_finish(member);
    assert_int_equal(member_committed(member, 0), 100);
}

static void a_gap_can_be_crossed_to_the_end(void **state)
{
    struct member *member = *state;
    const int64_t deadline_us = clock_after_us(WAIT_S * CLOCK_SECOND_US);

    member_make_topic(member, 1);
    test_settings_set(member->settings, "on_gap", "latest");
    broker_produce(member->address, member->topic, 0, "m", 0, 100);
    broker_commit(member->address, member->group, member->topic, 0, 10);
    broker_delete_records(member->address, member->topic, 0, 40);
    member_open(member);
    while (member->intake.gaps == 0) {
        assert_true(clock_now_us() < deadline_us);
        fake_intake_pull(&member->intake, 1, 1);
    }
    broker_produce(member->address, member->topic, 0, "new", 0, 1);

    fake_intake_pull(&member->intake, 1, WAIT_S);

    assert_int_equal(member->intake.records[0].offset, 100);
    assert_int_equal(member->intake.gaps, 90);
}

static void a_gap_can_stop_the_run(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    test_settings_set(member->settings, "on_gap", "stop");
    broker_produce(member->address, member->topic, 0, "m", 0, 100);
    broker_commit(member->address, member->group, member->topic, 0, 10);
    broker_delete_records(member->address, member->topic, 0, 40);
    member_open(member);

    assert_int_equal(fake_intake_pull_to_end(&member->intake, 10, WAIT_S),
                     WEIR_REJECT);
    assert_int_equal(member->intake.count, 0);
}

static void an_offset_beyond_the_end_is_a_gap_too(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    broker_produce(member->address, member->topic, 0, "m", 0, 10);
    broker_commit(member->address, member->group, member->topic, 0, 500);
    member_open(member);

    fake_intake_pull(&member->intake, 10, WAIT_S);

    assert_int_equal(member->intake.count, 10);
    assert_int_equal(member->intake.records[0].offset, 0);
    assert_int_equal(member->intake.gaps, 490);
    member_finish(member);
    assert_int_equal(member_committed(member, 0), 10);
}

static void the_end_is_where_the_log_ended_at_the_start(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 3);
    member->share->until_end = true;
    broker_produce(member->address, member->topic, 0, "m", 0, 100);
    broker_produce(member->address, member->topic, 1, "m", 0, 50);
    member_open(member);
    member_join(member, 3);
    broker_produce(member->address, member->topic, 0, "late", 0, 5);

    assert_int_equal(fake_intake_pull_to_end(&member->intake, 64, WAIT_S),
                     WEIR_DONE);
    assert_int_equal(member->intake.count, 150);
    assert_int_equal(member_committed(member, 0), 100);
    assert_int_equal(member_committed(member, 1), 50);
}

static void the_end_waits_for_what_is_open(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    member->share->until_end = true;
    broker_produce(member->address, member->topic, 0, "m", 0, 10);
    member_open(member);
    fake_intake_pull(&member->intake, 10, WAIT_S);

    assert_int_equal(fake_intake_pull_to_end(&member->intake, 0, 1),
                     WEIR_AGAIN);
    fake_intake_settle_all(&member->intake);
    assert_int_equal(fake_intake_pull_to_end(&member->intake, 0, WAIT_S),
                     WEIR_DONE);
    assert_int_equal(member_committed(member, 0), 10);
}

static void transaction_markers_are_stepped_over(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 1);
    member->share->until_end = true;
    broker_produce_transaction(member->address, member->topic, 0, 10, true);
    broker_produce_transaction(member->address, member->topic, 0, 5, false);
    member_open(member);

    assert_int_equal(fake_intake_pull_to_end(&member->intake, 64, WAIT_S),
                     WEIR_DONE);
    assert_int_equal(member->intake.count, 10); /* aborted ones are not read */
    assert_int_equal(member_committed(member, 0), 10 + 1 + 5 + 1);
}

static void nothing_to_read_is_an_end_too(void **state)
{
    struct member *member = *state;

    member_make_topic(member, 2);
    member->share->until_end = true;
    member_open(member);

    assert_int_equal(fake_intake_pull_to_end(&member->intake, 64, WAIT_S),
                     WEIR_DONE);
    assert_int_equal(member->intake.count, 0);
}

static void a_missing_topic_is_waited_for_and_said(void **state)
{
    struct member *member = *state;
    struct weir_error err = {0};

    broker_unique_name("missing", member->topic, sizeof member->topic);
    test_settings_set(member->settings, "topics", member->topic);

    assert_int_equal(
        weir_kafka_producer.open(member->intake.self, member->settings, &err),
        WEIR_RETRY);
    assert_non_null(strstr(err.text, member->topic));
    member_close(member);

    broker_create_topic_named(member->address, 1, member->topic);
    broker_produce(member->address, member->topic, 0, "m", 0, 1);
    member_open(member);
    fake_intake_pull(&member->intake, 1, WAIT_S);
    assert_int_equal(member->intake.count, 1);
}

static void a_pattern_finds_topics_that_come_later(void **state)
{
    struct member *member = *state;
    char pattern[100], name[80], topic[90];

    broker_unique_name("pattern", name, sizeof name);
    (void)snprintf(pattern, sizeof pattern, "^%s-.*", name);
    test_settings_set(member->settings, "topics", pattern);
    member_open(member);
    (void)fake_intake_pull_to_end(&member->intake, 0, 1);

    (void)snprintf(topic, sizeof topic, "%s-a", name);
    broker_create_topic_named(member->address, 1, topic);
    broker_produce(member->address, topic, 0, "m", 0, 1);
    fake_intake_pull(&member->intake, 1, WAIT_S);

    assert_int_equal(member->intake.count, 1);
    assert_string_equal(member->intake.records[0].topic, topic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(earliest_begins_with_the_first_message),
        TEST(latest_skips_what_was_there),
        TEST(an_idle_partition_keeps_the_start_it_had),
        TEST(a_partition_that_came_later_begins_at_its_first_message),
        TEST(a_partition_that_is_added_is_read_without_a_restart),
        TEST(a_time_begins_with_the_first_message_from_then_on),
        TEST(a_gap_is_crossed_and_counted),
        TEST(a_gap_can_be_crossed_to_the_end),
        TEST(a_gap_can_stop_the_run),
        TEST(an_offset_beyond_the_end_is_a_gap_too),
        TEST(the_end_is_where_the_log_ended_at_the_start),
        TEST(the_end_waits_for_what_is_open),
        TEST(transaction_markers_are_stepped_over),
        TEST(nothing_to_read_is_an_end_too),
        TEST(a_missing_topic_is_waited_for_and_said),
        TEST(a_pattern_finds_topics_that_come_later),
    };

    (void)broker_address();
    return cmocka_run_group_tests_name("kafka_start", tests, NULL, NULL);
}
