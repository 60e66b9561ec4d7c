/*
 * epoch_test.c - nothing of an ended epoch reaches the connector.
 */
#include "test.h"

#include <pthread.h>
#include <sched.h>

#include "clock.h"
#include "rig.h"

static int setup(void **state)
{
    *state = rig_create(WEIR_ORDERING_NONE);
    return 0;
}

static int setup_partition(void **state)
{
    *state = rig_create(WEIR_ORDERING_PARTITION);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

#define TEST_PARTITION(name)                                                   \
    cmocka_unit_test_setup_teardown(name, setup_partition, teardown)

static uint64_t fenced(const struct rig *rig)
{
    return counter_get(&rig->run.counters.fenced);
}

static void settle_now(struct rig *rig, struct weir_message *msg,
                       enum ending ending)
{
    settle(&rig->settler, msg, ending);
    settler_flush(&rig->settler);
}

/* ---- the end ---- */

static void what_waits_is_abandoned_when_its_epoch_ends(void **state)
{
    struct rig *rig = *state;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 100);
    rig_add_many(rig, 0, 3); /* not sent yet */
    weir_intake_end(&rig->intake, 0);
    assert_int_equal(rig_ledger(rig).abandoned, 103);
    assert_int_equal(rig_ledger(rig).in_flight, 0);
    rig_serve(rig);
    assert_int_equal(rig->told_count, 0);
    assert_int_equal(fenced(rig), 0);
    assert_null(rig->intake.ended);
    assert_int_equal(rig->pokes, 1);
}

static void what_was_begun_stays_in_flight_and_is_fenced_when_it_returns(
    void **state)
{
    struct rig *rig = *state;
    struct weir_message *begun;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    begun = rig_take_one(rig);
    rig_offer(rig, 0, 5);
    weir_intake_end(&rig->intake, 0);
    assert_int_equal(rig_ledger(rig).abandoned, 5);
    assert_int_equal(rig_ledger(rig).in_flight, 1);
    assert_int_equal(message_epoch_state(begun), EPOCH_ENDED);
    assert_true(message_is_fenced(begun));

    settle_now(rig, begun, ENDING_DONE);
    rig_serve(rig);
    assert_int_equal(rig_ledger(rig).abandoned, 6);
    assert_int_equal(rig_ledger(rig).done, 0);
    assert_int_equal(fenced(rig), 1);
    assert_int_equal(rig->told_count, 0);
    assert_null(rig->intake.ended);
}

static void what_is_left_anyway_does_not_count_as_fenced(void **state)
{
    struct rig *rig = *state;
    struct weir_message *begun;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    begun = rig_take_one(rig);
    weir_intake_end(&rig->intake, 0);
    settle_now(rig, begun, ENDING_LEFT);
    rig_serve(rig);
    assert_int_equal(rig_ledger(rig).abandoned, 1);
    assert_int_equal(fenced(rig), 0);
}

static void a_late_return_does_not_touch_the_new_epoch_of_its_source(
    void **state)
{
    struct rig *rig = *state;
    struct weir_message *late, *fresh;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    late = rig_take_one(rig);
    weir_intake_end(&rig->intake, 0);
    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    fresh = rig_take_one(rig);
    assert_false(message_is_fenced(fresh));
    assert_ptr_equal(late->epoch->origin, fresh->epoch->origin);

    settle_now(rig, late, ENDING_DISCARDED);
    rig_serve(rig);
    assert_int_equal(rig->told_count, 0);
    assert_int_equal(rig->intake.epochs[0]->open, 1);
    settle_now(rig, fresh, ENDING_DONE);
    rig_serve(rig);
    assert_int_equal(rig->told_count, 1);
    assert_true(rig->told[0].first == 1);
    assert_int_equal(rig_ledger(rig).abandoned, 1);
    assert_int_equal(rig_ledger(rig).done, 1);
}

static void only_the_ended_source_is_abandoned(void **state)
{
    struct rig *rig = *state;

    rig_begin(rig, 0);
    rig_begin(rig, 1);
    for (int i = 0; i < 50; i++) {
        rig_add_many(rig, 0, 1);
        rig_add_many(rig, 1, 1);
    }
    intake_flush(&rig->intake);
    weir_intake_end(&rig->intake, 0);
    assert_int_equal(rig_ledger(rig).abandoned, 50);
    rig_finish_all(rig, ENDING_DONE);
    assert_int_equal(rig_told(rig, 1, WEIR_OUTCOME_DONE), 50);
    assert_int_equal(rig_told(rig, 0, WEIR_OUTCOME_DONE), 0);
}

static void a_close_ends_every_epoch(void **state)
{
    struct rig *rig = *state;

    for (uint32_t source = 0; source < 40; source += 3) {
        rig_begin(rig, source);
        rig_offer(rig, source, 2);
    }
    intake_end_all(&rig->intake);
    assert_int_equal(rig_ledger(rig).abandoned, 28);
    assert_int_equal(rig->intake.live, 0);
    weir_intake_end(&rig->intake, 3); /* ended already: nothing happens */
    weir_intake_end(&rig->intake, 1000);
}

static void an_epoch_lives_on_while_a_ghost_of_it_travels(void **state)
{
    struct rig *rig = *state;
    struct weir_message *msg, *ghost;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    msg = rig_take_one(rig);
    ghost = message_move(&rig->run, msg, true);
    assert_non_null(ghost);
    ghost->is_ghost = true;
    atomic_fetch_add(&msg->epoch->ghosts, 1);
    settle_now(rig, msg, ENDING_DONE);
    rig_serve(rig);
    assert_int_equal(rig_ledger(rig).done, 1);
    weir_intake_end(&rig->intake, 0);
    assert_non_null(rig->intake.ended);
    assert_false(message_is_fenced(ghost));
    assert_string_equal(weir_message_topic(ghost), "t");
    settle_now(rig, ghost, ENDING_DONE);
    rig_serve(rig);
    assert_null(rig->intake.ended);
    assert_int_equal(rig_ledger(rig).done, 1);
    assert_int_equal(rig_ledger(rig).received, 1);
}

static void the_end_of_a_held_source_frees_its_hold(void **state)
{
    struct rig *rig = *state;
    enum weir_status status;

    rig_begin(rig, 0);
    do
        status = rig_add(rig, 0, NULL);
    while (status == WEIR_OK);
    assert_int_equal(status, WEIR_HOLD);
    assert_int_equal(rig->intake.held, 1);
    weir_intake_end(&rig->intake, 0);
    assert_int_equal(rig->intake.held, 0);
    rig_begin(rig, 0);
    assert_int_equal(rig_add(rig, 0, NULL), WEIR_OK);
}

/* ---- a drain before the end ---- */

static void what_waits_is_told_as_left_before_an_await_returns(void **state)
{
    struct rig *rig = *state;

    rig_begin(rig, 2);
    rig_offer(rig, 2, 3);
    assert_int_equal(weir_intake_await(&rig->intake, 2, CLOCK_NEVER_US),
                     WEIR_OK);
    assert_int_equal(rig_told(rig, 2, WEIR_OUTCOME_LEAVE), 3);
    assert_int_equal(rig->intake.epochs[2]->open, 0);
    assert_int_equal(rig_ledger(rig).abandoned, 3);

    /* Nothing of it is told to the next epoch of the same source. */
    weir_intake_end(&rig->intake, 2);
    rig_begin(rig, 2);
    rig_serve(rig);
    assert_int_equal(rig_told(rig, 2, WEIR_OUTCOME_LEAVE), 3);
}

struct worker {
    struct rig *rig;
    struct weir_message *msg;
    pthread_t thread;
};

static void *finish_when_draining(void *opaque)
{
    struct worker *worker = opaque;
    struct settler settler;

    settler_init(&settler, &worker->rig->run);
    while (message_epoch_state(worker->msg) == EPOCH_LIVE)
        (void)sched_yield();
    settle(&settler, worker->msg, ENDING_DONE);
    settler_flush(&settler);
    return NULL;
}

static void an_await_tells_what_was_begun_while_it_waits(void **state)
{
    struct rig *rig = *state;
    struct worker worker = {.rig = rig};

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    worker.msg = rig_take_one(rig);
    assert_int_equal(
        pthread_create(&worker.thread, NULL, finish_when_draining, &worker), 0);
    /* As in pull(): the connector's own sleep is armed. */
    assert_true(mailbox_arm(&rig->intake.box, &rig->intake.waiter, 100));
    assert_int_equal(weir_intake_await(&rig->intake, 0, CLOCK_NEVER_US),
                     WEIR_OK);
    mailbox_disarm(&rig->intake.box, &rig->intake.waiter);
    assert_int_equal(pthread_join(worker.thread, NULL), 0);
    assert_int_equal(rig_told(rig, 0, WEIR_OUTCOME_DONE), 1);
    assert_int_equal(rig_ledger(rig).done, 1);
}

static void an_await_gives_up_at_its_deadline(void **state)
{
    struct rig *rig = *state;
    struct weir_message *begun;
    const int64_t deadline = clock_after_us(2000);

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    begun = rig_take_one(rig);
    assert_int_equal(weir_intake_await(&rig->intake, 0, deadline), WEIR_AGAIN);
    assert_true(clock_now_us() >= deadline);
    weir_intake_end(&rig->intake, 0);
    settle_now(rig, begun, ENDING_DONE);
    rig_serve(rig);
    assert_int_equal(fenced(rig), 1);
}

static void nothing_is_awaited_while_the_destination_is_down(void **state)
{
    struct rig *rig = *state;
    struct weir_message *begun;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    begun = rig_take_one(rig);
    atomic_store(&rig->run.down, 1);
    assert_int_equal(weir_intake_await(&rig->intake, 0, CLOCK_NEVER_US),
                     WEIR_AGAIN);
    atomic_store(&rig->run.down, 0);
    settle_now(rig, begun, ENDING_DONE);
    rig_serve(rig);
}

static void *take_destination_down(void *opaque)
{
    struct worker *worker = opaque;

    while (message_epoch_state(worker->msg) == EPOCH_LIVE)
        (void)sched_yield();
    atomic_store(&worker->rig->run.down, 1);
    return NULL;
}

static void an_await_ends_when_the_destination_goes_down_meanwhile(void **state)
{
    struct rig *rig = *state;
    struct worker worker = {.rig = rig};
    const int64_t deadline = clock_after_us(10 * CLOCK_SECOND_US);

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    worker.msg = rig_take_one(rig);
    assert_int_equal(
        pthread_create(&worker.thread, NULL, take_destination_down, &worker),
        0);
    assert_int_equal(weir_intake_await(&rig->intake, 0, deadline), WEIR_AGAIN);
    assert_true(clock_now_us() < deadline);
    assert_int_equal(pthread_join(worker.thread, NULL), 0);
    settle_now(rig, worker.msg, ENDING_DONE);
    rig_serve(rig);
}

static void an_await_of_a_source_that_has_no_epoch_is_over_at_once(void **state)
{
    assert_int_equal(
        weir_intake_await(&((struct rig *)*state)->intake, 5, CLOCK_NEVER_US),
        WEIR_OK);
}

/* ---- lanes of two epochs ---- */

static void a_lane_of_a_new_epoch_starts_when_the_old_callback_returned(
    void **state)
{
    struct rig *rig = *state;
    struct hand old, fresh;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    assert_true(ready_take(rig->ready, &old, CHUNK_SLOTS, 0));
    assert_int_equal(old.count, 1);
    weir_intake_end(&rig->intake, 0);
    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    assert_true(ready_take(rig->ready, &fresh, CHUNK_SLOTS, 0));
    assert_int_equal(fresh.count, 0);
    rig_finish_hand(rig, &old, ENDING_DONE);
    assert_true(ready_take(rig->ready, &fresh, CHUNK_SLOTS, 0));
    assert_int_equal(fresh.count, 1);
    assert_false(message_is_fenced(fresh.messages[0]));
    rig_finish_hand(rig, &fresh, ENDING_DONE);
    rig_serve(rig);
}

/* ---- what is shown of a source ---- */

static void the_lag_is_the_sum_over_live_sources(void **state)
{
    struct rig *rig = *state;

    rig_begin(rig, 0);
    rig_begin(rig, 1);
    assert_false(rig->intake.has_lag);
    weir_intake_set_lag(&rig->intake, 0, 10);
    weir_intake_set_lag(&rig->intake, 1, 5);
    weir_intake_set_lag(&rig->intake, 0, 7);
    assert_true(rig->intake.has_lag);
    assert_int_equal(rig->intake.lag, 12);
    weir_intake_end(&rig->intake, 0); /* revoked partitions have none */
    assert_int_equal(rig->intake.lag, 5);
    weir_intake_set_lag(&rig->intake, 0, 100); /* nor unknown ones */
    assert_int_equal(rig->intake.lag, 5);
}

static void a_starved_source_is_said_once_until_it_gives_again(void **state)
{
    struct rig *rig = *state;

    rig_begin(rig, 0);
    weir_intake_set_starved(&rig->intake, 0);
    weir_intake_set_starved(&rig->intake, 0);
    weir_intake_set_starved(&rig->intake, 9); /* no such source */
    assert_int_equal(rig->pokes, 1);
    rig_offer(rig, 0, 1);
    weir_intake_set_starved(&rig->intake, 0);
    assert_int_equal(rig->pokes, 2);
    rig_finish_all(rig, ENDING_DONE);
}

static void gaps_are_counted(void **state)
{
    struct rig *rig = *state;

    weir_intake_count_gap(&rig->intake, 100);
    weir_intake_count_gap(&rig->intake, 1);
    assert_int_equal(counter_get(&rig->run.counters.gaps), 101);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_waits_is_abandoned_when_its_epoch_ends),
        TEST(what_was_begun_stays_in_flight_and_is_fenced_when_it_returns),
        TEST(what_is_left_anyway_does_not_count_as_fenced),
        TEST(a_late_return_does_not_touch_the_new_epoch_of_its_source),
        TEST(only_the_ended_source_is_abandoned),
        TEST(a_close_ends_every_epoch),
        TEST(an_epoch_lives_on_while_a_ghost_of_it_travels),
        TEST_PARTITION(the_end_of_a_held_source_frees_its_hold),
        TEST(what_waits_is_told_as_left_before_an_await_returns),
        TEST(an_await_tells_what_was_begun_while_it_waits),
        TEST(an_await_gives_up_at_its_deadline),
        TEST(nothing_is_awaited_while_the_destination_is_down),
        TEST(an_await_ends_when_the_destination_goes_down_meanwhile),
        TEST(an_await_of_a_source_that_has_no_epoch_is_over_at_once),
        TEST_PARTITION(
            a_lane_of_a_new_epoch_starts_when_the_old_callback_returned),
        TEST(the_lag_is_the_sum_over_live_sources),
        TEST(a_starved_source_is_said_once_until_it_gives_again),
        TEST(gaps_are_counted),
    };

    return cmocka_run_group_tests_name("epoch", tests, NULL, NULL);
}
