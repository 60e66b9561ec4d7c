/*
 * rebalance_test.c - partitions come and go between members, at a real broker.
 *
 * Needs WEIR_KAFKA=host:port.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "clock.h"
#include "kafka_producer.h"
#include "member.h"

enum {
    WAIT_S = 40,
    PARTITIONS = 4,
    PER_PARTITION = 500,
    ALL = PARTITIONS * PER_PARTITION,
    HALF = ALL / 2,
    SLICE_MS = 20
};

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

/* Both in turn, as two threads would. */
static void pull_both(struct member *one, struct member *other, unsigned demand)
{
    struct member *members[2] = {one, other};
    struct weir_error err = {0};

    for (unsigned i = 0; i < 2; i++) {
        const enum weir_status status = weir_kafka_producer.pull(
            members[i]->intake.self, &members[i]->intake, demand,
            clock_after_us(SLICE_MS * INT64_C(1000)), &err);

        assert_true(status == WEIR_OK || status == WEIR_AGAIN);
    }
}

static unsigned open_sources(const struct member *member)
{
    unsigned count = 0;

    for (size_t i = 0; i < FAKE_SOURCES; i++)
        count += member->intake.sources[i].is_open;
    return count;
}

static void wait_for_shares(struct member *one, struct member *other)
{
    const int64_t deadline_us = clock_after_us(WAIT_S * CLOCK_SECOND_US);

    while (open_sources(one) != PARTITIONS / 2 ||
           open_sources(other) != PARTITIONS / 2) {
        assert_true(clock_now_us() < deadline_us);
        pull_both(one, other, 0);
    }
}

static void fill(struct member *member)
{
    member_make_topic(member, PARTITIONS);
    for (int32_t partition = 0; partition < PARTITIONS; partition++)
        broker_produce(member->address, member->topic, partition, "m", 0,
                       PER_PARTITION);
}

/* How often each message was taken by either. */
static void count_taken(const struct member *member,
                        unsigned seen[PARTITIONS][PER_PARTITION])
{
    for (size_t i = 0; i < member->intake.count; i++)
        seen[member->intake.records[i].partition]
            [member->intake.records[i].offset]++;
}

static void what_was_begun_is_drained_and_committed(struct member *member,
                                                    const char *assignor)
{
    struct member *other;
    unsigned seen[PARTITIONS][PER_PARTITION] = {{0}};

    fill(member);
    test_settings_set(member->settings, "assignor", assignor);
    member->intake.settles_in_await = true;
    member_open(member);
    fake_intake_pull(&member->intake, 600, WAIT_S);

    other = member_create(member->address, member);
    test_settings_set(other->settings, "assignor", assignor);
    other->share->memory = member->share->memory;
    other->intake.settles_in_await = true;
    member_open(other);
    wait_for_shares(member, other);
    assert_true(member->intake.awaited > 0);
    assert_true(member->intake.ended > 0);

    for (const int64_t deadline_us = clock_after_us(WAIT_S * CLOCK_SECOND_US);
         member->intake.count + other->intake.count < ALL;) {
        assert_true(clock_now_us() < deadline_us);
        pull_both(member, other, 64);
    }
    count_taken(member, seen);
    count_taken(other, seen);
    for (unsigned i = 0; i < ALL; i++)
        assert_int_equal(seen[i / PER_PARTITION][i % PER_PARTITION], 1);
    member_destroy(other);
}

static void a_revoked_partition_is_drained_and_repeats_nothing(void **state)
{
    what_was_begun_is_drained_and_committed(*state, "range");
}

static void cooperative_members_repeat_nothing_either(void **state)
{
    what_was_begun_is_drained_and_committed(*state, "cooperative-sticky");
}

/* Room for what one partition brings: one of four is fetched at a time. */
static void little_memory(struct member *member)
{
    member->share->memory = (size_t)2 << 20;
}

static void who_takes_turns_repeats_nothing(void **state)
{
    little_memory(*state);
    what_was_begun_is_drained_and_committed(*state, "range");
}

static void cooperative_members_who_take_turns_repeat_nothing(void **state)
{
    little_memory(*state);
    what_was_begun_is_drained_and_committed(*state, "cooperative-sticky");
}

static void what_does_not_end_in_time_is_repeated_by_the_next(void **state)
{
    struct member *member = *state;
    struct member *other;
    unsigned seen[PARTITIONS][PER_PARTITION] = {{0}};

    fill(member);
    test_settings_set(member->settings, "drain_timeout", "0s");
    member_open(member);
    fake_intake_pull(&member->intake, ALL, WAIT_S);

    other = member_create(member->address, member);
    member_open(other);
    wait_for_shares(member, other);
    fake_intake_reset(&member->intake);
    fake_intake_pull(&member->intake, HALF, WAIT_S);
    fake_intake_pull(&other->intake, HALF, WAIT_S);

    count_taken(member, seen);
    count_taken(other, seen);
    for (unsigned i = 0; i < ALL; i++)
        assert_int_equal(seen[i / PER_PARTITION][i % PER_PARTITION], 1);
    member_destroy(other);
}

static void a_member_that_leaves_hands_its_partitions_on(void **state)
{
    struct member *member = *state;
    struct member *other;
    const int64_t deadline_us = clock_after_us(WAIT_S * CLOCK_SECOND_US);

    fill(member);
    member_open(member);
    other = member_create(member->address, member);
    member_open(other);
    wait_for_shares(member, other);

    member_close(member);
    while (open_sources(other) != PARTITIONS) {
        assert_true(clock_now_us() < deadline_us);
        (void)fake_intake_pull_to_end(&other->intake, 0, 1);
    }
    fake_intake_pull(&other->intake, ALL, WAIT_S);
    assert_int_equal(other->intake.count, ALL);
    member_destroy(other);
}

/* pull_both() refuses WEIR_DONE: nothing was read, so nothing is at its end. */
static void a_member_between_two_assignments_is_not_at_its_end(void **state)
{
    struct member *member = *state;
    struct member *other;

    fill(member);
    member->share->until_end = true;
    member_open(member);
    member_join(member, PARTITIONS);
    other = member_create(member->address, member);
    member_open(other);
    wait_for_shares(member, other);
    member_destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_revoked_partition_is_drained_and_repeats_nothing),
        TEST(cooperative_members_repeat_nothing_either),
        TEST(who_takes_turns_repeats_nothing),
        TEST(cooperative_members_who_take_turns_repeat_nothing),
        TEST(what_does_not_end_in_time_is_repeated_by_the_next),
        TEST(a_member_that_leaves_hands_its_partitions_on),
        TEST(a_member_between_two_assignments_is_not_at_its_end),
    };

    (void)broker_address();
    return cmocka_run_group_tests_name("kafka_rebalance", tests, NULL, NULL);
}
