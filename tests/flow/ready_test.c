/*
 * ready_test.c - who gets which message next, and who has to wait.
 */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "rig.h"
#include "sleeper.h"

static int setup(void **state)
{
    *state = rig_create(WEIR_ORDERING_NONE);
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

/* ---- without order ---- */

static void a_worker_takes_its_fair_share(void **state)
{
    struct rig *rig = *state;
    struct hand hand;
    uint64_t first = 0;
    static const uint32_t shares[] = {5, 3, 1, 1};

    rig_begin(rig, 0);
    rig_offer(rig, 0, 10);
    for (int i = 0; i < 4; i++) {
        rig_take(rig, &hand, shares[i]);
        assert_null(hand.lane);
        rig_expect_tickets(&hand, first);
        first += hand.count;
        rig_finish_hand(rig, &hand, ENDING_DONE);
    }
    rig_take(rig, &hand, 0);
}

static void a_share_is_never_more_than_a_chunk(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1000);
    rig_take(rig, &hand, CHUNK_SLOTS);
    rig_expect_counts(rig, 1000 - CHUNK_SLOTS, CHUNK_SLOTS);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    rig_finish_all(rig, ENDING_DONE);
    rig_expect_counts(rig, 0, 0);
}

static void a_share_is_never_more_than_the_difference_of_the_demands(
    void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_destroy(rig);
    rig = rig_create_limited(WEIR_ORDERING_NONE,
                             &(struct ready_limits){.workers = 1,
                                                    .max_demand = 10,
                                                    .min_demand = 7});
    *state = rig;
    rig_begin(rig, 0);
    rig_offer(rig, 0, 10);
    rig_take(rig, &hand, 3);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    rig_finish_all(rig, ENDING_DONE);
}

static void a_share_is_never_more_than_the_worker_wants(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 100);
    for (uint64_t first = 0; first < 10; first += 2) {
        assert_true(ready_take(rig->ready, &hand, 2, 0));
        assert_int_equal(hand.count, 2);
        rig_expect_tickets(&hand, first);
        rig_finish_hand(rig, &hand, ENDING_DONE);
    }
    rig_finish_all(rig, ENDING_DONE);
}

static void what_is_over_before_another_worker_is_awake_is_not_shared(
    void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 40);
    rig_take(rig, &hand, 20); /* of two workers */
    hand.quick = 30;
    rig_finish_hand(rig, &hand, ENDING_DONE);
    rig_offer(rig, 0, 20);
    rig_take(rig, &hand, 30);
    hand.quick = 0;
    rig_finish_hand(rig, &hand, ENDING_DONE);
    rig_take(rig, &hand, 5);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    rig_finish_all(rig, ENDING_DONE);
}

static void a_hand_may_be_of_several_spans(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_begin(rig, 0);
    for (int i = 0; i < 20; i++)
        rig_offer(rig, 0, 1);
    rig_take(rig, &hand, 10);
    rig_expect_tickets(&hand, 0);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    rig_finish_all(rig, ENDING_DONE);
}

/* ---- the window ---- */

static void the_demand_is_what_the_window_has_left(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_begin(rig, 0);
    assert_int_equal(ready_demand(rig->ready, 0, 0), 2048);
    rig_offer(rig, 0, 2000);
    assert_int_equal(ready_demand(rig->ready, 0, 0), 48);
    rig_take(rig, &hand, CHUNK_SLOTS); /* in hand is still in the window */
    assert_int_equal(ready_demand(rig->ready, 0, 0), 48);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    assert_int_equal(ready_demand(rig->ready, 0, 0), 48 + CHUNK_SLOTS);
    rig_offer(rig, 0, 1000);
    assert_int_equal(ready_demand(rig->ready, 0, 0), 0);
    rig_finish_all(rig, ENDING_DONE);
}

static void parked_messages_count_for_nobody(void **state)
{
    struct rig *rig = *state;

    rig->run.home_count = 2;
    rig->run.homes[1] = rig->run.homes[0];
    rig_begin(rig, 0);
    rig_offer(rig, 0, 2000);
    assert_int_equal(ready_demand(rig->ready, 0, 1500), 1548);
    assert_int_equal(ready_demand(rig->ready, 1, 0), 1548);
    assert_int_equal(ready_demand(rig->ready, 0, 100000), 2048);
    assert_int_equal(ready_demand(rig->ready, 0, 0), 48);
    rig->run.home_count = 1;
    rig_finish_all(rig, ENDING_DONE);
}

static bool is_interrupted(struct rig *rig)
{
    const bool is_armed =
        mailbox_arm(&rig->intake.box, &rig->intake.waiter, UINT32_MAX);

    mailbox_disarm(&rig->intake.box, &rig->intake.waiter);
    return !is_armed;
}

static void a_producer_that_wants_room_is_woken_when_few_are_left(void **state)
{
    struct rig *rig = *state;
    struct hand hand;
    uint32_t left = 2048;

    rig_begin(rig, 0);
    rig_offer(rig, 0, left);
    ready_want_room(rig->ready, 0);
    while (left > 1024) {
        assert_false(is_interrupted(rig));
        assert_true(ready_take(rig->ready, &hand, CHUNK_SLOTS, 0));
        left -= hand.count;
        rig_finish_hand(rig, &hand, ENDING_DONE);
    }
    assert_true(is_interrupted(rig));
    rig_take(rig, &hand, CHUNK_SLOTS);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    assert_false(is_interrupted(rig)); /* once for each wish */
    rig_finish_all(rig, ENDING_DONE);
}

static void a_producer_that_wants_room_is_woken_by_a_sift(void **state)
{
    struct rig *rig = *state;
    struct mail_list taken;

    mail_list_init(&taken);
    rig_begin(rig, 0);
    rig_offer(rig, 0, 100);
    ready_want_room(rig->ready, 0);
    ready_sift(rig->ready, is_odd, NULL, &taken);
    assert_true(is_interrupted(rig));
    rig_leave(rig, &taken);
    rig_finish_all(rig, ENDING_DONE);
}

/* ---- what waits for its time ---- */

static void a_delayed_message_comes_back_when_it_is_due(void **state)
{
    struct rig *rig = *state;
    const int64_t due = clock_after_us(INT64_C(10000));
    struct hand hand;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    assert_true(ready_delay(rig->ready, rig_take_one(rig), due));
    rig_take(rig, &hand, 0);
    rig_expect_counts(rig, 1, 0);
    assert_int_equal(ready_demand(rig->ready, 0, 0), 2048);
    do
        assert_true(ready_take(rig->ready, &hand, CHUNK_SLOTS, CLOCK_NEVER_US));
    while (hand.count == 0);
    assert_true(clock_now_us() >= due);
    rig_finish_hand(rig, &hand, ENDING_DONE);
}

static void a_sleeping_worker_takes_a_retry_when_it_is_due(void **state)
{
    struct rig *rig = *state;
    struct sleeper sleeper;
    struct weir_message *msg;
    const int64_t late = clock_after_us(9 * CLOCK_SECOND_US);

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    msg = rig_take_one(rig);
    sleeper_begin(&sleeper, rig);
    assert_true(ready_delay(rig->ready, msg, clock_after_us(1000)));
    sleeper_expect_awake(&sleeper, late);
}

/* ---- taking out ---- */

static void a_sift_takes_the_chosen_and_keeps_the_order_of_the_rest(
    void **state)
{
    struct rig *rig = *state;
    struct mail_list taken;
    uint64_t next = 0;
    struct hand hand;

    mail_list_init(&taken);
    rig_begin(rig, 0);
    rig_offer(rig, 0, 100);
    ready_sift(rig->ready, is_odd, NULL, &taken);
    assert_int_equal(taken.count, 50);
    rig_expect_counts(rig, 50, 0);
    rig_leave(rig, &taken);
    do {
        assert_true(ready_take(rig->ready, &hand, CHUNK_SLOTS, 0));
        for (uint32_t i = 0; i < hand.count; i++, next += 2)
            assert_true(hand.messages[i]->ticket == next);
        rig_finish_hand(rig, &hand, ENDING_DONE);
    } while (hand.count > 0);
    assert_int_equal(next, 100);
}

static void a_sift_reaches_what_waits_for_its_retry(void **state)
{
    struct rig *rig = *state;
    struct weir_message *messages[9];
    struct mail_list taken;
    struct hand hand;
    int64_t due_us;

    mail_list_init(&taken);
    rig_begin(rig, 0);
    for (int i = 0; i < 9; i++) {
        rig_offer(rig, 0, 1);
        messages[i] = rig_take_one(rig);
    }
    due_us = clock_after_us(9000); /* of the first; read once, for the order */
    for (int i = 0; i < 9; i++)
        assert_true(
            ready_delay(rig->ready, messages[i], due_us - i * (int64_t)1000));
    ready_sift(rig->ready, is_odd, NULL, &taken);
    assert_int_equal(taken.count, 4);
    rig_expect_counts(rig, 5, 0);
    rig_leave(rig, &taken);
    for (uint64_t ticket = 8; ticket < 9; ticket -= 2) { /* by their time */
        do
            assert_true(
                ready_take(rig->ready, &hand, CHUNK_SLOTS, CLOCK_NEVER_US));
        while (hand.count == 0);
        assert_true(hand.messages[hand.count - 1]->ticket <= ticket);
        ticket -= 2 * (uint64_t)(hand.count - 1);
        rig_finish_hand(rig, &hand, ENDING_DONE);
    }
    rig_expect_counts(rig, 0, 0);
}

static void a_closed_queue_is_over_when_nothing_waits(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    ready_close(rig->ready);
    assert_true(ready_take(rig->ready, &hand, CHUNK_SLOTS, CLOCK_NEVER_US));
    assert_int_equal(hand.count, 1);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    assert_false(ready_take(rig->ready, &hand, CHUNK_SLOTS, CLOCK_NEVER_US));
}

static void every_sleeper_gets_one_of_what_is_enough_for_all(void **state)
{
    struct rig *rig = *state;
    struct sleeper sleepers[2];

    rig_begin(rig, 0);
    for (int i = 0; i < 2; i++)
        sleeper_begin(&sleepers[i], rig);
    rig_offer(rig, 0, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(sleepers[i].thread, NULL), 0);
        rig_finish_hand(rig, &sleepers[i].hand, ENDING_DONE);
    }
    rig_finish_all(rig, ENDING_DONE);
    assert_int_equal(rig_told(rig, 0, WEIR_OUTCOME_DONE), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_worker_takes_its_fair_share),
        TEST(a_share_is_never_more_than_a_chunk),
        TEST(a_share_is_never_more_than_the_difference_of_the_demands),
        TEST(a_share_is_never_more_than_the_worker_wants),
        TEST(what_is_over_before_another_worker_is_awake_is_not_shared),
        TEST(a_hand_may_be_of_several_spans),
        TEST(the_demand_is_what_the_window_has_left),
        TEST(parked_messages_count_for_nobody),
        TEST(a_producer_that_wants_room_is_woken_when_few_are_left),
        TEST(a_producer_that_wants_room_is_woken_by_a_sift),
        TEST(a_delayed_message_comes_back_when_it_is_due),
        TEST(a_sleeping_worker_takes_a_retry_when_it_is_due),
        TEST(a_sift_takes_the_chosen_and_keeps_the_order_of_the_rest),
        TEST(a_sift_reaches_what_waits_for_its_retry),
        TEST(a_closed_queue_is_over_when_nothing_waits),
        TEST(every_sleeper_gets_one_of_what_is_enough_for_all),
    };

    return cmocka_run_group_tests_name("ready", tests, NULL, NULL);
}
