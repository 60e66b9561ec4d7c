/*
 * memory_test.c - out of memory at any allocation: nothing is lost.
 *
 * Each test fails allocation 1, 2, 3, ... of what it does, until none fails.
 * The rig sees that everything came back and nothing stays counted.
 */
#include "test.h"

#include "clock.h"
#include "failing_alloc.h"
#include "rig.h"

static int setup(void **state)
{
    *state = rig_create(WEIR_ORDERING_KEY);
    return 0;
}

static int setup_none(void **state)
{
    *state = rig_create(WEIR_ORDERING_NONE);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

#define TEST_NONE(name)                                                        \
    cmocka_unit_test_setup_teardown(name, setup_none, teardown)

static void an_epoch_begins_or_does_not(void **state)
{
    struct rig *rig = *state;
    const struct weir_origin origin = {.topic = "t", .partition = 3};
    enum weir_status status = WEIR_RETRY;

    for (unsigned n = 1; status != WEIR_OK; n++) {
        failing_alloc_arm(n);
        status = weir_intake_begin(&rig->intake, 100, &origin);
        assert_int_equal(failing_alloc_disarm(), status != WEIR_OK);
        assert_int_equal(rig->intake.live, status == WEIR_OK);
    }
    rig_offer(rig, 100, 1);
    rig_finish_all(rig, ENDING_DONE);
}

static void a_queue_is_made_or_is_not(void **state)
{
    struct rig *rig = *state;
    struct ready *ready = NULL;
    const struct ready_limits limits = {.workers = 1, .max_demand = 10};

    for (unsigned n = 1; !ready; n++) {
        failing_alloc_arm(n);
        ready = ready_create(&rig->run, &limits);
        assert_int_equal(failing_alloc_disarm(), !ready);
    }
    ready_destroy(ready);
}

/* A record of each size class, with all that follows until it is settled.
 * What was refused is offered again, as a connector does. */
static unsigned push_through(struct rig *rig, uint64_t *ticket)
{
    static char large[100000];
    unsigned refused = 0;

    for (uint64_t i = 0; i < 130; i++) {
        const struct weir_record record = {
            .ticket = *ticket,
            .key = {&i, i % 4 * 2},
            .payload = {large, i % 50 == 49 ? sizeof large : 100}};
        enum weir_status status;

        (void)intake_demand(&rig->intake);
        status = weir_intake_add(&rig->intake, 0, &record);
        if (status == WEIR_RETRY) {
            refused++;
            assert_true(refused < 3);
            i--;
            continue;
        }
        (*ticket)++;
    }
    intake_flush(&rig->intake);
    return refused;
}

static void nothing_that_was_taken_in_is_lost(void **state)
{
    struct rig *rig = *state;
    uint64_t ticket = 0;
    bool has_failed = true;

    rig_begin(rig, 0);
    for (unsigned n = 1; has_failed; n++) {
        failing_alloc_arm(n);
        (void)push_through(rig, &ticket);
        has_failed = failing_alloc_disarm();
        (void)intake_demand(&rig->intake); /* sends what found no lane */
        rig_finish_all(rig, ENDING_DONE);
        assert_true(rig_ledger(rig).done == ticket);
        assert_true(rig_ledger(rig).received == ticket);
        rig->told_count = 0;
        weir_intake_end(&rig->intake, 0); /* all memory is needed again */
        ready_destroy(rig->ready);
        rig->ready =
            ready_create(&rig->run, &(struct ready_limits){.workers = 2,
                                                           .max_demand = 1024});
        assert_non_null(rig->ready);
        rig->intake.ready = rig->ready;
        rig_begin(rig, 0);
    }
}

static void what_finds_no_lane_keeps_its_order_and_stops_the_source(
    void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_begin(rig, 0);
    assert_int_equal(rig_add(rig, 0, "a"), WEIR_OK);
    assert_int_equal(rig_add(rig, 0, "b"), WEIR_OK);
    assert_int_equal(rig_add(rig, 0, "a"), WEIR_OK);
    failing_alloc_arm(2); /* the lane of b */
    intake_flush(&rig->intake);
    assert_true(failing_alloc_disarm());
    rig_expect_counts(rig, 1, 0);
    assert_int_equal(rig_add(rig, 0, "b"), WEIR_RETRY);

    failing_alloc_arm(1);
    assert_int_equal(intake_demand(&rig->intake), 0);
    assert_true(failing_alloc_disarm());
    assert_true(intake_demand(&rig->intake) > 0);
    rig_take(rig, &hand, 2);
    assert_true(hand.messages[0]->ticket == 0);
    assert_true(hand.messages[1]->ticket == 2);
    rig_finish_hand(rig, &hand, ENDING_DONE);
    rig_finish_all(rig, ENDING_DONE);
}

static void what_finds_no_lane_is_abandoned_with_its_epoch(void **state)
{
    struct rig *rig = *state;

    rig_begin(rig, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(rig_add(rig, 0, NULL), WEIR_OK);
    failing_alloc_arm(3);
    intake_flush(&rig->intake);
    assert_true(failing_alloc_disarm());
    failing_alloc_arm(1); /* still none when it ends */
    weir_intake_end(&rig->intake, 0);
    (void)failing_alloc_disarm();
    assert_int_equal(rig_ledger(rig).abandoned, 5);
}

static void a_move_without_memory_leaves_the_message_as_it_was(void **state)
{
    struct rig *rig = *state;
    struct context context = {.run = &rig->run};
    struct weir_message *msg;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    msg = rig_take_one(rig);
    msg->context = &context;
    weir_message_set_batch_key(msg, weir_str("key"));
    arena_release(context.arena, 1);
    failing_alloc_arm(1);
    assert_null(message_move(&rig->run, msg, true));
    assert_true(failing_alloc_disarm());
    assert_int_equal(weir_message_batch_key(msg).size, 3);
    settle(&rig->settler, msg, ENDING_DONE);
}

static void a_retry_that_can_not_wait_is_due_now(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    failing_alloc_arm(1);
    assert_true(ready_delay(rig->ready, rig_take_one(rig), CLOCK_NEVER_US));
    assert_true(failing_alloc_disarm());
    rig_take(rig, &hand, 1);
    rig_finish_hand(rig, &hand, ENDING_DONE);
}

static void a_lane_that_can_not_wait_is_ready_now(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_begin(rig, 0);
    assert_int_equal(rig_add(rig, 0, "a"), WEIR_OK);
    intake_flush(&rig->intake);
    rig_take(rig, &hand, 1);
    failing_alloc_arm(1);
    rig_finish_holding(rig, &hand, 1, CLOCK_NEVER_US);
    assert_true(failing_alloc_disarm());
    rig_take(rig, &hand, 1);
    rig_finish_hand(rig, &hand, ENDING_DONE);
}

static bool is_odd(const struct weir_message *msg, const void *opaque)
{
    (void)opaque;
    return msg->ticket % 2 == 1;
}

static void a_sift_of_retries_needs_no_memory(void **state)
{
    struct rig *rig = *state;
    struct mail_list taken;

    mail_list_init(&taken);
    rig_begin(rig, 0);
    for (int i = 0; i < 10; i++) {
        rig_offer(rig, 0, 1);
        assert_true(ready_delay(rig->ready, rig_take_one(rig), CLOCK_NEVER_US));
    }
    failing_alloc_arm(1);
    ready_sift(rig->ready, is_odd, NULL, &taken);
    assert_false(failing_alloc_disarm());
    assert_int_equal(taken.count, 5);
    rig_leave(rig, &taken);
    ready_abandon_backoff(rig->ready, &taken);
    assert_int_equal(taken.count, 5);
    rig_leave(rig, &taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_epoch_begins_or_does_not),
        TEST(a_queue_is_made_or_is_not),
        TEST(nothing_that_was_taken_in_is_lost),
        TEST(what_finds_no_lane_keeps_its_order_and_stops_the_source),
        TEST(what_finds_no_lane_is_abandoned_with_its_epoch),
        TEST_NONE(a_move_without_memory_leaves_the_message_as_it_was),
        TEST_NONE(a_retry_that_can_not_wait_is_due_now),
        TEST(a_lane_that_can_not_wait_is_ready_now),
        TEST_NONE(a_sift_of_retries_needs_no_memory),
    };

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
