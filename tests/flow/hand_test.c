/*
 * hand_test.c - a message of a hand is begun, or taken back, never both.
 */
#include "test.h"

#include <pthread.h>

#include "clock.h"
#include "rig.h"

static int setup(void **state)
{
    *state = rig_create_limited(WEIR_ORDERING_NONE,
                                &(struct ready_limits){.workers = 1,
                                                       .max_demand = 1024,
                                                       .min_demand = 512});
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

static void take_open(struct rig *rig, struct hand *hand, uint32_t count)
{
    rig_offer(rig, 0, count);
    rig_take(rig, hand, count);
    hand_open(hand, count);
}

/* A worker that has done the first `count`, and has nothing left. */
static void finish_first(struct rig *rig, struct hand *hand, uint32_t count)
{
    assert_int_equal(hand_close(hand, hand->count), count);
    for (uint32_t i = 0; i < count; i++)
        settle(&rig->settler, hand->messages[i], ENDING_DONE);
    settler_flush(&rig->settler);
    ready_finish(rig->ready, hand, &(struct mail_list){0}, 0);
}

static void expect_idle_worker_gets(struct rig *rig, uint64_t first,
                                    uint32_t count)
{
    const int64_t deadline = clock_after_us(10 * CLOCK_SECOND_US);
    struct hand hand;

    do
        assert_true(ready_take(rig->ready, &hand, CHUNK_SLOTS, deadline));
    while (hand.count == 0 && clock_now_us() < deadline);
    assert_int_equal(hand.count, count);
    rig_expect_tickets(&hand, first);
    rig_finish_hand(rig, &hand, ENDING_DONE);
}

static void what_a_stale_hand_has_not_begun_goes_to_an_idle_worker(void **state)
{
    struct rig *rig = *state;
    struct hand slow;

    rig_begin(rig, 0);
    take_open(rig, &slow, 10);
    for (int i = 0; i < 3; i++)
        assert_true(hand_begin(&slow));

    expect_idle_worker_gets(rig, 3, 7);

    rig_expect_counts(rig, 0, 3);
    assert_false(hand_begin(&slow));
    finish_first(rig, &slow, 3);
    rig_expect_counts(rig, 0, 0);
    rig_serve(rig);
    assert_int_equal(rig_ledger(rig).done, 10);
}

static bool wants_none(const struct weir_message *msg, const void *opaque)
{
    (void)msg;
    (void)opaque;
    return false;
}

static void it_comes_before_what_was_offered_later(void **state)
{
    struct rig *rig = *state;
    struct mail_list back;
    struct hand slow;

    mail_list_init(&back);
    rig_begin(rig, 0);
    take_open(rig, &slow, 10);
    assert_true(hand_begin(&slow));
    rig_offer(rig, 0, 5);
    ready_sift(rig->ready, wants_none, NULL, &back); /* brings it back */
    expect_idle_worker_gets(rig, 1, 14);
    finish_first(rig, &slow, 1);
}

static bool is_chosen(const struct weir_message *msg, const void *opaque)
{
    (void)opaque;
    return msg->ticket >= 5;
}

static void a_sift_reaches_what_is_in_hand_and_was_not_begun(void **state)
{
    struct rig *rig = *state;
    struct mail_list taken;
    struct hand slow;

    mail_list_init(&taken);
    rig_begin(rig, 0);
    take_open(rig, &slow, 10);
    assert_true(hand_begin(&slow));

    ready_sift(rig->ready, is_chosen, NULL, &taken);

    assert_int_equal(taken.count, 5);
    rig_expect_counts(rig, 4, 1);
    rig_leave(rig, &taken);
    expect_idle_worker_gets(rig, 1, 4);
    finish_first(rig, &slow, 1);
}

static void in_order_what_was_not_begun_waits_in_its_lane(void **state)
{
    struct rig *rig;
    struct mail_list taken;
    struct hand slow, hand;

    rig_destroy(*state);
    *state = rig = rig_create(WEIR_ORDERING_PARTITION);
    mail_list_init(&taken);
    rig_begin(rig, 0);
    take_open(rig, &slow, 10);
    assert_true(hand_begin(&slow));

    ready_sift(rig->ready, is_chosen, NULL, &taken);

    assert_int_equal(taken.count, 5);
    rig_leave(rig, &taken);
    rig_take(rig, &hand, 0); /* its lane is still the slow one's */
    finish_first(rig, &slow, 1);
    expect_idle_worker_gets(rig, 1, 4);
}

static void a_hand_that_is_closed_gives_nothing_back(void **state)
{
    struct rig *rig = *state;
    struct mail_list taken;
    struct hand hand;

    mail_list_init(&taken);
    rig_begin(rig, 0);
    take_open(rig, &hand, 10);
    assert_true(hand_begin(&hand));
    assert_int_equal(hand_close(&hand, 10), 10);
    ready_sift(rig->ready, is_chosen, NULL, &taken);
    assert_int_equal(taken.count, 0);
    rig_finish_hand(rig, &hand, ENDING_DONE);
}

static void a_hand_that_was_not_opened_gives_nothing_back(void **state)
{
    struct rig *rig = *state;
    struct mail_list taken;
    struct hand hand;

    mail_list_init(&taken);
    rig_begin(rig, 0);
    rig_offer(rig, 0, 10);
    rig_take(rig, &hand, 10);
    ready_sift(rig->ready, is_chosen, NULL, &taken);
    assert_int_equal(taken.count, 0);
    assert_int_equal(hand_close(&hand, 10), 10);
    rig_finish_hand(rig, &hand, ENDING_DONE);
}

static void what_callbacks_changed_is_forgotten(void **state)
{
    struct rig *rig = *state;
    struct changes changes = {0};
    struct hand slow;

    rig_begin(rig, 0);
    take_open(rig, &slow, 2);
    slow.messages[0]->changes = slow.messages[1]->changes = &changes;
    assert_true(hand_begin(&slow));
    expect_idle_worker_gets(rig, 1, 1);
    assert_ptr_equal(slow.messages[0]->changes, &changes);
    assert_null(slow.messages[1]->changes);
    slow.messages[0]->changes = NULL;
    finish_first(rig, &slow, 1);
}

/* ---- at the same time ---- */

enum { ROUNDS = 2000 };

struct race {
    struct rig *rig;
    pthread_barrier_t barrier;
    struct hand hand;
    uint32_t taken;
};

static bool wants_all(const struct weir_message *msg, const void *opaque)
{
    (void)msg;
    (void)opaque;
    return true;
}

static void *take_back(void *opaque)
{
    struct race *race = opaque;

    for (int round = 0; round < ROUNDS; round++) {
        struct mail_list taken;

        mail_list_init(&taken);
        (void)pthread_barrier_wait(&race->barrier);
        ready_sift(race->rig->ready, wants_all, NULL, &taken);
        race->taken = taken.count;
        (void)pthread_barrier_wait(&race->barrier);
        rig_leave(race->rig, &taken);
        (void)pthread_barrier_wait(&race->barrier);
    }
    return NULL;
}

static void a_message_is_begun_or_taken_back_never_both(void **state)
{
    struct race race = {.rig = *state};
    uint64_t done = 0;
    pthread_t thread;

    rig_begin(race.rig, 0);
    assert_int_equal(pthread_barrier_init(&race.barrier, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, take_back, &race), 0);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t begun = 0;

        take_open(race.rig, &race.hand, CHUNK_SLOTS);
        (void)pthread_barrier_wait(&race.barrier);
        while (begun < CHUNK_SLOTS && hand_begin(&race.hand))
            begun++;
        (void)pthread_barrier_wait(&race.barrier);
        assert_int_equal(begun + race.taken, CHUNK_SLOTS);
        (void)pthread_barrier_wait(&race.barrier);
        finish_first(race.rig, &race.hand, begun);
        rig_serve(race.rig);
        done += begun;
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_barrier_destroy(&race.barrier);
    assert_int_equal(rig_ledger(race.rig).done, done);
    assert_int_equal(rig_ledger(race.rig).abandoned,
                     (uint64_t)ROUNDS * CHUNK_SLOTS - done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_stale_hand_has_not_begun_goes_to_an_idle_worker),
        TEST(it_comes_before_what_was_offered_later),
        TEST(a_sift_reaches_what_is_in_hand_and_was_not_begun),
        TEST(in_order_what_was_not_begun_waits_in_its_lane),
        TEST(a_hand_that_is_closed_gives_nothing_back),
        TEST(a_hand_that_was_not_opened_gives_nothing_back),
        TEST(what_callbacks_changed_is_forgotten),
        TEST(a_message_is_begun_or_taken_back_never_both),
    };
    return cmocka_run_group_tests_name("hand", tests, NULL, NULL);
}
