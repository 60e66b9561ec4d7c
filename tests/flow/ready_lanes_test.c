/*
 * ready_lanes_test.c - lanes: exclusive, in order, held, given up.
 */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "rig.h"
#include "sleeper.h"

static int setup(void **state)
{
    *state = rig_create(WEIR_ORDERING_PARTITION);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

static bool is_odd(const struct weir_message *msg, const void *opaque)
{
    (void)opaque;
    return msg->ticket % 2 == 1;
}

/* ---- lanes ---- */

static void a_lane_is_one_workers_alone_and_in_its_order(void **state)
{
    struct rig *rig = *state;
    struct hand one, two, none;

    rig_begin(rig, 0);
    rig_begin(rig, 1);
    rig_offer(rig, 0, 100);
    rig_offer(rig, 1, 10);
    rig_take(rig, &one, CHUNK_SLOTS);
    rig_expect_tickets(&one, 0);
    rig_take(rig, &two, 10);
    rig_expect_tickets(&two, 100);
    assert_ptr_not_equal(one.lane, two.lane);
    rig_take(rig, &none, 0); /* 36 more are there, but not for others */
    rig_expect_counts(rig, 36, 74);
    rig_finish_hand(rig, &one, ENDING_DONE);
    rig_take(rig, &one, 36);
    rig_expect_tickets(&one, 64);
    rig_finish_hand(rig, &one, ENDING_DONE);
    rig_finish_hand(rig, &two, ENDING_DONE);
}

/* A lane with much does not keep out those with little. */
static void lanes_take_turns(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_begin(rig, 0);
    rig_begin(rig, 1);
    rig_offer(rig, 0, 200);
    rig_offer(rig, 1, 1);
    rig_take(rig, &hand, CHUNK_SLOTS);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    rig_take(rig, &hand, 1);
    rig_expect_tickets(&hand, 200);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    rig_finish_all(rig, ENDING_DONE);
}

static void what_waits_is_counted_by_source(void **state)
{
    struct rig *rig = *state;
    struct hand hand;
    const struct epoch *epoch;

    rig_begin(rig, 0);
    epoch = rig->intake.epochs[0];
    rig_offer(rig, 0, 70);
    assert_int_equal(epoch->waiting, 70);
    rig_take(rig, &hand, CHUNK_SLOTS);
    assert_int_equal(epoch->waiting, 6);
    rig_finish_holding(rig, &hand, 10, 0);
    assert_int_equal(epoch->waiting, 16);
    rig_finish_all(rig, ENDING_DONE);
    assert_int_equal(epoch->waiting, 0);
}

static void what_goes_back_is_in_front_of_its_lane(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 10);
    rig_take(rig, &hand, 10);
    rig_offer(rig, 0, 10);
    rig_finish_holding(rig, &hand, 4, 0);
    rig_take(rig, &hand, 14);
    rig_expect_tickets(&hand, 6);
    rig_finish_hand(rig, &hand, ENDING_DONE);
}

static void a_held_lane_waits_and_nobody_else(void **state)
{
    struct rig *rig = *state;
    const int64_t due = clock_after_us(INT64_C(20000));
    struct hand hand;

    rig_begin(rig, 0);
    rig_begin(rig, 1);
    rig_offer(rig, 0, 2);
    rig_take(rig, &hand, 2);
    rig_finish_holding(rig, &hand, 2, due);
    rig_offer(rig, 0, 1); /* more for the held lane */
    rig_offer(rig, 1, 1);
    rig_take(rig, &hand, 1);
    rig_expect_tickets(&hand, 3);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    rig_expect_counts(rig, 3, 0);
    do
        assert_true(ready_take(rig->ready, &hand, CHUNK_SLOTS, CLOCK_NEVER_US));
    while (hand.count == 0);
    assert_true(clock_now_us() >= due);
    assert_int_equal(hand.count, 3);
    rig_expect_tickets(&hand, 0);
    rig_finish_hand(rig, &hand, ENDING_DONE);
}

static void a_lane_that_was_given_up_is_marked_for_whoever_takes_it(
    void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 100);
    rig_take(rig, &hand, CHUNK_SLOTS);
    assert_false(hand.is_abandoned);
    ready_abandon_lane(rig->ready, &hand);
    rig_finish_hand(rig, &hand, ENDING_LEFT);
    rig_take(rig, &hand, 36);
    assert_true(hand.is_abandoned);
    rig_finish_hand(rig, &hand, ENDING_LEFT);
    rig_offer(rig, 0, 1); /* what comes later, too */
    rig_take(rig, &hand, 1);
    assert_true(hand.is_abandoned);
    rig_finish_hand(rig, &hand, ENDING_LEFT);
}

static void sources_share_the_window_in_an_ordered_mode(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(ready_source_limit(rig->ready, 1), 1024);
    assert_int_equal(ready_source_limit(rig->ready, 3), 512);
    assert_int_equal(ready_source_limit(rig->ready, 1000), CHUNK_SLOTS);
}

static void a_delayed_message_of_an_ordered_mode_comes_back_without_a_lane(
    void **state)
{
    struct rig *rig = *state;
    struct hand hand, other;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 3);
    rig_take(rig, &hand, 3);
    assert_true(ready_delay(rig->ready, hand.messages[0], clock_now_us()));
    rig_take(rig, &other,
             1); /* while its lane runs: it is only to be settled */
    assert_null(other.lane);
    rig_expect_tickets(&other, 0);
    rig_finish_hand(rig, &other, ENDING_REQUEUED);
    settle(&rig->settler, hand.messages[1], ENDING_DONE);
    settle(&rig->settler, hand.messages[2], ENDING_DONE);
    ready_finish(rig->ready, &hand, &(struct mail_list){0}, 0);
}

static void a_sleeping_worker_takes_a_lane_when_it_is_due(void **state)
{
    struct rig *rig = *state;
    struct sleeper sleeper;
    struct hand hand;
    const int64_t late = clock_after_us(9 * CLOCK_SECOND_US);

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    rig_take(rig, &hand, 1);
    sleeper_begin(&sleeper, rig);
    rig_finish_holding(rig, &hand, 1, clock_after_us(1000));
    sleeper_expect_awake(&sleeper, late);
}

static void a_lane_emptied_by_a_sift_is_used_again(void **state)
{
    struct rig *rig = *state;
    struct mail_list taken;
    struct hand hand;

    mail_list_init(&taken);
    rig_begin(rig, 0);
    rig_add_many(rig, 0, 1);
    rig_begin(rig, 1);
    rig_offer(rig, 1, 1);
    ready_sift(rig->ready, is_odd, NULL, &taken);
    assert_int_equal(taken.count, 1);
    rig_leave(rig, &taken);
    rig_offer(rig, 1, 1);
    rig_finish_all(rig, ENDING_DONE);
    rig_take(rig, &hand, 0);
    assert_int_equal(rig_told(rig, 1, WEIR_OUTCOME_DONE), 1);
}

/* ---- a drain ---- */

static void a_drain_gives_up_held_lanes_with_what_is_behind(void **state)
{
    struct rig *rig = *state;
    struct mail_list taken;
    struct hand hand;

    mail_list_init(&taken);
    rig_begin(rig, 0);
    rig_begin(rig, 1);
    rig_offer(rig, 0, 1);
    rig_take(rig, &hand, 1);
    rig_offer(rig, 0, 5);
    rig_offer(rig, 1, 2);
    rig_finish_holding(rig, &hand, 1, CLOCK_NEVER_US);
    ready_abandon_backoff(rig->ready, &taken);
    assert_int_equal(taken.count, 6);
    rig_leave(rig, &taken);
    rig_take(rig, &hand, 2); /* the other lane goes on */
    assert_false(hand.is_abandoned);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    rig_expect_counts(rig, 0, 0);
}

static void after_a_drain_began_nothing_waits_for_its_time(void **state)
{
    struct rig *rig = *state;
    struct mail_list taken, back;
    struct hand hand;

    mail_list_init(&taken);
    mail_list_init(&back);
    rig_begin(rig, 0);
    rig_offer(rig, 0, 2);
    rig_take(rig, &hand, 2);
    rig_offer(rig, 0, 3);
    ready_abandon_backoff(rig->ready, &taken);
    assert_int_equal(taken.count, 0);
    assert_false(ready_delay(rig->ready, hand.messages[0], CLOCK_NEVER_US));
    settle(&rig->settler, hand.messages[0], ENDING_LEFT);
    hand.messages[1]->mail = (struct mail){.count = 1};
    mail_list_add(&back, &hand.messages[1]->mail);
    ready_finish(rig->ready, &hand, &back, CLOCK_NEVER_US);
    assert_int_equal(back.count, 4); /* with what was behind it */
    rig_leave(rig, &back);
    rig_expect_counts(rig, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lane_is_one_workers_alone_and_in_its_order),
        TEST(lanes_take_turns),
        TEST(what_waits_is_counted_by_source),
        TEST(what_goes_back_is_in_front_of_its_lane),
        TEST(a_held_lane_waits_and_nobody_else),
        TEST(a_lane_that_was_given_up_is_marked_for_whoever_takes_it),
        TEST(sources_share_the_window_in_an_ordered_mode),
        TEST(a_delayed_message_of_an_ordered_mode_comes_back_without_a_lane),
        TEST(a_sleeping_worker_takes_a_lane_when_it_is_due),
        TEST(a_lane_emptied_by_a_sift_is_used_again),
        TEST(a_drain_gives_up_held_lanes_with_what_is_behind),
        TEST(after_a_drain_began_nothing_waits_for_its_time),
    };

    return cmocka_run_group_tests_name("ready_lanes", tests, NULL, NULL);
}
