/*
 * policy_test.c - what `failure.then` and a message's own policy do.
 */
#include "harness.h"

#include <stdatomic.h>

#include "lanes.h"

#define teardown harness_teardown

static _Atomic unsigned handled;

static int setup(void **state)
{
    handled = 0;
    return harness_setup(state);
}

#define TOPOLOGY(then)                                                         \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, ordering: none }\n"                        \
    "failure: { then: " then ", retry: { attempts: 3, "                        \
    "backoff: { min: 1ms, max: 100ms } } }\n"

static void offer_ten(struct harness *harness)
{
    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 10);
}

static enum weir_status reject_three(struct weir_message *msg, void *state)
{
    (void)state;
    if (!place_is(msg, 0, 3))
        return WEIR_OK;
    handled++;
    return WEIR_REJECT;
}

static void reject_discards_at_the_broker(void **state)
{
    struct harness *harness = *state;

    offer_ten(harness);
    harness->handler.handle_message = reject_three;

    assert_int_equal(harness_run(harness, TOPOLOGY("reject")), 0);

    assert_int_equal(producer_script_outcome(harness->source, 3),
                     WEIR_OUTCOME_DISCARD);
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_DISCARD), 1);
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_DONE), 9);
    assert_int_equal(harness->stats.rejected, 1);
}

static void drop_is_done_for_the_broker(void **state)
{
    struct harness *harness = *state;

    offer_ten(harness);
    harness->handler.handle_message = reject_three;

    assert_int_equal(harness_run(harness, TOPOLOGY("drop")), 0);

    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_DONE), 10);
    assert_int_equal(harness->stats.rejected, 1);
}

static enum weir_status reject_until_delivered_thrice(struct weir_message *msg,
                                                      void *state)
{
    (void)state;
    if (!place_is(msg, 0, 3))
        return WEIR_OK;
    return ++handled < 3 ? WEIR_REJECT : WEIR_OK;
}

static void requeue_gives_back_after_a_backoff(void **state)
{
    struct harness *harness = *state;

    offer_ten(harness);
    harness->handler.handle_message = reject_until_delivered_thrice;

    assert_int_equal(harness_run(harness, TOPOLOGY("requeue")), 0);

    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_REQUEUE), 2);
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_DONE), 10);
    assert_int_equal(harness->stats.received, 12);
    assert_int_equal(harness->stats.abandoned, 2);
    assert_int_equal(harness->stats.rejected, 0);
}

static void what_the_broker_would_drop_is_rejected_instead_of_requeued(
    void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "orders", 0);
    producer_script_add_many(harness->source, 0, 4);
    producer_script_mark_last(harness->source);
    harness->handler.handle_message = reject_three;

    assert_int_equal(harness_run(harness, TOPOLOGY("requeue")), 0);

    assert_int_equal(producer_script_outcome(harness->source, 3),
                     WEIR_OUTCOME_DISCARD);
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_REQUEUE), 0);
    assert_int_equal(harness->stats.rejected, 1);
    assert_int_equal(harness->stats.abandoned, 0);
}

static bool has_handled_one(struct harness *harness)
{
    (void)harness;
    return handled == 1;
}

static void a_requeue_waits_for_its_backoff_and_is_left_by_a_drain(void **state)
{
    struct harness *harness = *state;

    offer_ten(harness);
    harness->handler.handle_message = reject_three;
    harness_start(harness, "producer: { SOURCE }\n"
                           "processors: { handler: linked, ordering: none }\n"
                           "failure: { then: requeue, retry: { attempts: 3, "
                           "backoff: { min: 10m, max: 10m } } }\n");
    harness_wait(harness, has_handled_one);
    assert_true(producer_script_wait(harness->source, 9,
                                     clock_after_us(10 * CLOCK_SECOND_US)));
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_REQUEUE), 0);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(producer_script_outcome(harness->source, 3),
                     WEIR_OUTCOME_LEAVE);
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_REQUEUE), 0);
}

static void requeue_once_rejects_the_second_delivery(void **state)
{
    struct harness *harness = *state;

    offer_ten(harness);
    harness->handler.handle_message = reject_three;

    assert_int_equal(harness_run(harness, TOPOLOGY("requeue_once")), 0);

    assert_int_equal(handled, 2);
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_REQUEUE), 1);
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_DISCARD), 1);
    assert_int_equal(harness->stats.rejected, 1);
}

static enum weir_status choose(struct weir_message *msg, void *state)
{
    const unsigned number = place_of(msg).number;

    (void)state;
    if (number == 1)
        weir_message_set_failure_policy(msg, WEIR_POLICY_DROP);
    if (number == 2)
        weir_message_set_failure_policy(msg, WEIR_POLICY_REQUEUE_ONCE);
    return number <= 3 && number > 0 ? WEIR_REJECT : WEIR_OK;
}

static void a_message_may_have_a_policy_of_its_own(void **state)
{
    struct harness *harness = *state;

    offer_ten(harness);
    harness->handler.handle_message = choose;

    assert_int_equal(harness_run(harness, TOPOLOGY("reject")), 0);

    assert_int_equal(producer_script_outcome(harness->source, 1),
                     WEIR_OUTCOME_DONE);
    assert_int_equal(producer_script_outcome(harness->source, 2),
                     WEIR_OUTCOME_DISCARD);
    assert_int_equal(producer_script_outcome(harness->source, 3),
                     WEIR_OUTCOME_DISCARD);
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_REQUEUE), 1);
    assert_int_equal(harness->stats.rejected, 3);
}

static void a_policy_that_the_source_cannot_honour_is_refused(void **state)
{
    struct harness *harness = *state;

    offer_ten(harness);
    harness->source_ops.policies =
        (1U << WEIR_POLICY_DROP) | (1U << WEIR_POLICY_STOP);
    harness->handler.handle_message = choose;

    assert_int_equal(harness_run(harness, TOPOLOGY("drop")), 0);

    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_DONE), 10);
    assert_int_equal(harness->stats.rejected, 3);
    assert_int_equal(harness->stats.callback_errors, 1);
}

static void a_requeue_that_would_break_the_order_is_refused(void **state)
{
    struct harness *harness = *state;

    offer_ten(harness);
    harness->handler.handle_message = choose;

    assert_int_equal(
        harness_run(harness,
                    "producer: { SOURCE }\n"
                    "processors: { handler: linked, ordering: partition }\n"
                    "failure: { then: reject }\n"),
        0);

    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_REQUEUE), 0);
    assert_int_equal(harness->stats.rejected, 3);
    assert_int_equal(harness->stats.callback_errors, 1);
}

static void a_requeue_in_a_run_to_the_end_is_refused(void **state)
{
    struct harness *harness = *state;

    offer_ten(harness);
    harness->handler.handle_message = choose;
    harness->until_end = true;

    assert_int_equal(harness_run(harness, TOPOLOGY("reject")), 0);

    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_REQUEUE), 0);
    assert_int_equal(harness->stats.callback_errors, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reject_discards_at_the_broker),
        TEST(drop_is_done_for_the_broker),
        TEST(requeue_gives_back_after_a_backoff),
        TEST(what_the_broker_would_drop_is_rejected_instead_of_requeued),
        TEST(a_requeue_waits_for_its_backoff_and_is_left_by_a_drain),
        TEST(requeue_once_rejects_the_second_delivery),
        TEST(a_message_may_have_a_policy_of_its_own),
        TEST(a_policy_that_the_source_cannot_honour_is_refused),
        TEST(a_requeue_that_would_break_the_order_is_refused),
        TEST(a_requeue_in_a_run_to_the_end_is_refused),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
