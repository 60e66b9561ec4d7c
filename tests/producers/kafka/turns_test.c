/*
 * turns_test.c - more partitions than memory has room for, at a real broker.
 *
 * Needs WEIR_KAFKA=host:port.  There is room for two partitions, or for one.
 */
#include "test.h"

#include <stdlib.h>

#include "broker.h"
#include "clock.h"
#include "kafka_producer.h"
#include "member.h"

enum {
    WAIT_S = 60,
    PARTITIONS = 6,
    PER_PARTITION = 300,
    ALL = PARTITIONS * PER_PARTITION
};

static int setup(void **state)
{
    struct member *member = member_create(broker_address(), NULL);

    member->share->memory = (size_t)4 << 20;
    *state = member;
    return 0;
}

static int teardown(void **state)
{
    member_destroy(*state);
    return 0;
}

static void fill(struct member *member, unsigned first, unsigned count)
{
    for (int32_t partition = 0; partition < PARTITIONS; partition++)
        broker_produce(member->address, member->topic, partition, "m", first,
                       count);
}

static void pull_all(struct member *member, size_t count)
{
    fake_intake_pull(&member->intake, count, WAIT_S);
    assert_int_equal(member->intake.count, count);
}

/* Each message once, in the order of its partition, from `first` on. */
static void expect_each_in_order(const struct member *member,
                                 const int64_t first[PARTITIONS], int64_t end)
{
    int64_t next[PARTITIONS];

    for (unsigned i = 0; i < PARTITIONS; i++)
        next[i] = first[i];
    for (size_t i = 0; i < member->intake.count; i++) {
        const struct fake_record *record = &member->intake.records[i];

        assert_int_equal(record->offset, next[record->partition]);
        next[record->partition]++;
    }
    for (unsigned i = 0; i < PARTITIONS; i++)
        assert_int_equal(next[i], end);
}

static const int64_t beginning[PARTITIONS];

static void each_has_its_turn_and_nothing_is_lost_or_twice(void **state)
{
    struct member *member = *state;

    member_make_topic(member, PARTITIONS);
    fill(member, 0, PER_PARTITION);
    member_open(member);
    pull_all(member, ALL);
    /* Those that wait by now are seen to have something again. */
    fill(member, PER_PARTITION, 1);
    pull_all(member, ALL + PARTITIONS);

    expect_each_in_order(member, beginning, PER_PARTITION + 1);
    member_finish(member);
    for (int32_t i = 0; i < PARTITIONS; i++)
        assert_int_equal(member_committed(member, i), PER_PARTITION + 1);
}

static void a_held_one_gives_its_turn_away_and_goes_on_where_it_was(
    void **state)
{
    struct member *member = *state;
    const size_t others = ALL - PER_PARTITION;
    uint32_t held;

    member->share->memory = (size_t)2 << 20;
    member->intake.hold_at = 10;
    member_make_topic(member, PARTITIONS);
    fill(member, 0, PER_PARTITION);
    member_open(member);
    fake_intake_pull(&member->intake, 11, WAIT_S);
    held = member->intake.records[10].source;

    pull_all(member, 11 + others);
    weir_kafka_producer.release(member->intake.self, held);
    pull_all(member, ALL);
    expect_each_in_order(member, beginning, PER_PARTITION);
}

static bool knows_every_lag(const struct member *member)
{
    for (unsigned i = 0; i < PARTITIONS; i++)
        if (member->intake.sources[i].lag != PER_PARTITION)
            return false;
    return true;
}

static void the_lag_of_those_that_wait_is_known(void **state)
{
    const int64_t deadline_us = clock_after_us(WAIT_S * CLOCK_SECOND_US);
    struct member *member = *state;
    struct weir_error err = {0};

    member_make_topic(member, PARTITIONS);
    fill(member, 0, PER_PARTITION);
    member_open(member);
    while (!knows_every_lag(member)) {
        assert_true(clock_now_us() < deadline_us);
        assert_int_equal(weir_kafka_producer.pull(
                             member->intake.self, &member->intake, 0,
                             clock_after_us(CLOCK_SECOND_US / 20), &err),
                         WEIR_AGAIN);
    }
    assert_int_equal(member->intake.count, 0);
}

static void what_is_deleted_while_it_waits_is_a_gap(void **state)
{
    enum { LAST = PARTITIONS - 1, GONE = 100 };
    struct member *member = *state;
    const int64_t first[PARTITIONS] = {[LAST] = GONE};

    member_make_topic(member, PARTITIONS);
    fill(member, 0, PER_PARTITION);
    member_open(member);
    member_join(member, PARTITIONS);
    broker_delete_records(member->address, member->topic, LAST, GONE);

    pull_all(member, ALL - GONE);
    assert_int_equal(member->intake.gaps, GONE);
    expect_each_in_order(member, first, PER_PARTITION);
}

static void at_the_end_markers_of_transactions_hold_up_nobody(void **state)
{
    struct member *member = *state;

    member->share->until_end = true;
    member_make_topic(member, PARTITIONS);
    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        broker_produce_transaction(member->address, member->topic, partition,
                                   20, true);
        broker_produce_transaction(member->address, member->topic, partition,
                                   20, false);
    }
    member_open(member);

    assert_int_equal(fake_intake_pull_to_end(&member->intake, 64, WAIT_S),
                     WEIR_DONE);
    expect_each_in_order(member, beginning, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_has_its_turn_and_nothing_is_lost_or_twice),
        TEST(a_held_one_gives_its_turn_away_and_goes_on_where_it_was),
        TEST(the_lag_of_those_that_wait_is_known),
        TEST(what_is_deleted_while_it_waits_is_a_gap),
        TEST(at_the_end_markers_of_transactions_hold_up_nobody),
    };

    (void)broker_address();
    return cmocka_run_group_tests_name("kafka_turns", tests, NULL, NULL);
}
