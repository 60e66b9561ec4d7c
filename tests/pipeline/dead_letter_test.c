/*
 * dead_letter_test.c - what is dead-lettered, and what it carries.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "lanes.h"
#include "letter.h"

#define teardown harness_teardown

static struct {
    _Atomic unsigned handled, failed;
} shared;

static int setup(void **state)
{
    shared.handled = shared.failed = 0;
    return harness_setup(state);
}

#define TO_COLLECTION                                                          \
    "batchers: { dead_letter: { " LIMITS ", sink: { COLLECT } }, "             \
    "default: { " LIMITS ", sink: { SINK } } }\n"

static enum weir_status reject_all(struct weir_message *msg, void *state)
{
    (void)state;
    shared.handled++;
    return weir_message_reject(msg, "bad");
}

/* ---- what it carries ---- */

static void a_rejected_message_arrives_as_it_was_received_with_what_happened(
    void **state)
{
    struct harness *harness = *state;
    const struct collected *letter;

    harness_offer(harness, 7, 10);
    harness->handler.handle_message = letter_reject_three;

    assert_int_equal(harness_run(harness, HEAD TO_COLLECTION FAILURE), 0);

    assert_int_equal(collection_count(harness->collection), 1);
    assert_int_equal(collection_count(harness_sunk(harness)), 9);
    letter = collection_get(harness->collection, 0);
    assert_string_equal(letter->batcher, "dead_letter");
    assert_string_equal(letter->payload, "0:3");
    assert_null(letter->key);
    assert_null(collected_header(letter, "half"));
    letter_assert_header(letter, "weir-source", "scripted");
    letter_assert_header(letter, "weir-topic", "t");
    letter_assert_header(letter, "weir-partition", "7");
    letter_assert_header(letter, "weir-offset", "3");
    letter_assert_header(letter, "weir-reason", "order 3 has no total");
    letter_assert_header(letter, "weir-code", "rejected");
    letter_assert_header(letter, "weir-attempts", "1");
    letter_assert_header(letter, "weir-pipeline", "test");
    assert_non_null(collected_header(letter, "weir-host"));
    assert_non_null(collected_header(letter, "weir-version"));
    assert_null(collected_header(letter, "weir-batcher"));
    assert_null(collected_header(letter, "weir-payload-omitted"));
    assert_string_equal(collected_header(letter, "weir-first-failed-at"),
                        collected_header(letter, "weir-last-failed-at"));
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_DONE), 10);
    assert_int_equal(harness->stats.rejected, 1);
    assert_int_equal(harness->stats.rejected_by_handler, 1);
    assert_int_equal(harness->stats.dead_letters, 1);
}

static enum weir_status retry_all(struct weir_message *msg, void *state)
{
    (void)state;
    (void)msg;
    return WEIR_RETRY;
}

static void retries_used_up_are_said(void **state)
{
    struct harness *harness = *state;
    const struct collected *letter;

    harness_offer(harness, 7, 1);
    harness->handler.handle_message = retry_all;

    assert_int_equal(
        harness_run(harness, HEAD TO_COLLECTION
                    "failure: { then: dead_letter, retry: { attempts: 12, "
                    "backoff: { min: 5ms, max: 5ms } } }\n"),
        0);

    letter = collection_get(harness->collection, 0);
    letter_assert_header(letter, "weir-code", "retries");
    letter_assert_header(letter, "weir-attempts", "12");
    letter_assert_header(letter, "weir-reason",
                         "tried 12 times, each answered: again");
    assert_true(strcmp(collected_header(letter, "weir-first-failed-at"),
                       collected_header(letter, "weir-last-failed-at")) < 0);
}

static void what_a_sink_refuses_becomes_a_dead_letter(void **state)
{
    struct harness *harness = *state;
    const struct collected *letter;

    harness_offer(harness, 7, 100);
    sink_script_message(harness->sink, "0:42", WEIR_REJECT, 1, "no such table");

    assert_int_equal(harness_run(harness, HEAD TO_COLLECTION FAILURE), 0);

    assert_int_equal(collection_count(harness->collection), 1);
    letter = collection_get(harness->collection, 0);
    assert_string_equal(letter->payload, "0:42");
    letter_assert_header(letter, "weir-code", "sink");
    letter_assert_header(letter, "weir-batcher", "default");
    letter_assert_header(letter, "weir-reason", "no such table");
    letter_assert_header(letter, "weir-attempts", "1");
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_DONE), 100);
    assert_int_equal(harness->stats.done, 99);
    assert_int_equal(harness->stats.rejected_sink, 1);
}

static void a_delivery_that_used_up_its_retries_becomes_a_dead_letter(
    void **state)
{
    struct harness *harness = *state;
    const struct collected *letter;

    harness_offer(harness, 7, 20);
    harness->handler.handle_message =
        letter_reject_three; /* changes the payload */
    sink_script_message(harness->sink, "changed", WEIR_RETRY, 1000, "busy");

    assert_int_equal(harness_run(harness, HEAD TO_COLLECTION FAILURE), 0);

    assert_int_equal(collection_count(harness->collection), 20);
    for (size_t i = 0; i < 20; i++) {
        letter = collection_get(harness->collection, i);
        assert_memory_equal(letter->payload, "0:", 2);
        if (letter->offset == 3)
            continue;
        letter_assert_header(letter, "weir-code", "retries");
        letter_assert_header(letter, "weir-attempts", "3");
        letter_assert_header(letter, "weir-reason", "busy");
        letter_assert_header(letter, "weir-batcher", "default");
    }
    assert_int_equal(harness->stats.rejected_retries, 19);
}

static enum weir_status route_astray(struct weir_message *msg, void *state)
{
    (void)state;
    weir_message_route(msg, weir_message_offset(msg) == 0 ? "nowhere"
                                                          : "dead_letter");
    return WEIR_OK;
}

static void only_what_failed_is_routed_to_dead_letter(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 7, 2);
    harness->handler.handle_message = route_astray;

    assert_int_equal(harness_run(harness, HEAD TO_COLLECTION FAILURE), 0);

    assert_int_equal(collection_count(harness->collection), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct collected *letter = collection_get(harness->collection, i);

        letter_assert_header(letter, "weir-code", "unknown-batcher");
        letter_assert_header(
            letter, "weir-reason",
            letter->offset == 0
                ? "routed to 'nowhere', which is no batcher; there "
                  "are: default"
                : "routed to 'dead_letter', which is no batcher but "
                  "for what failed; there are: default");
    }
    assert_int_equal(harness->stats.rejected_batcher, 2);
}

static void larger_than_max_message_bytes(void **state)
{
    struct harness *harness = *state;
    const struct collected *letter;

    harness->source_ops.policies =
        (1U << WEIR_POLICY_DROP) | (1U << WEIR_POLICY_STOP); /* as Kafka's */
    harness->handler.handle_message = reject_all;
    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_omitted(harness->source, 0, 3000000);

    assert_int_equal(harness_run(harness, HEAD TO_COLLECTION FAILURE), 0);

    assert_int_equal(shared.handled, 0);
    letter = collection_get(harness->collection, 0);
    assert_null(letter->payload);
    letter_assert_header(letter, "weir-code", "size");
    letter_assert_header(letter, "weir-payload-omitted", "3000000");
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_DONE), 1);
    assert_int_equal(harness->stats.rejected_size, 1);
}

static void larger_than_max_message_bytes_goes_to_the_queues_exchange(
    void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_omitted(harness->source, 0, 3000000);

    assert_int_equal(harness_run(harness, HEAD TO_COLLECTION FAILURE), 0);

    assert_int_equal(collection_count(harness->collection), 0);
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_DISCARD), 1);
}

static enum weir_status note_failed(struct weir_message *const *messages,
                                    size_t count, void *state)
{
    (void)state;
    shared.failed += (unsigned)count;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(
            weir_message_add_header(messages[i], "team", WEIR_STR("billing")),
            WEIR_OK);
        if (weir_message_offset(messages[i]) % 2 == 0)
            weir_message_set_failure_policy(messages[i], WEIR_POLICY_DROP);
        else
            weir_message_set_failure_policy(messages[i],
                                            WEIR_POLICY_DEAD_LETTER);
    }
    return WEIR_OK;
}

static void handle_failed_may_choose_it_and_add_headers(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 7, 10);
    harness->handler.handle_message = reject_all;
    harness->handler.handle_failed = note_failed;

    assert_int_equal(
        harness_run(harness, HEAD TO_COLLECTION "failure: { then: stop }\n"),
        0);

    assert_int_equal(collection_count(harness->collection), 5);
    for (size_t i = 0; i < 5; i++) {
        const struct collected *letter = collection_get(harness->collection, i);

        letter_assert_header(letter, "team", "billing");
        letter_assert_header(letter, "weir-reason", "bad");
    }
    assert_int_equal(shared.failed, 10); /* not again as a letter */
    assert_int_equal(harness->stats.rejected, 10);
    assert_int_equal(harness->stats.callback_errors, 0);
}

static void without_the_batcher_the_choice_is_refused(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 7, 2);
    harness->handler.handle_message = reject_all;
    harness->handler.handle_failed = note_failed;

    assert_int_equal(harness_run(harness, HEAD "failure: { then: drop }\n"), 0);

    assert_int_equal(harness->stats.callback_errors, 1);
    assert_int_equal(harness->stats.rejected, 2);
}

static enum weir_status settle_early(struct weir_message *msg, void *state)
{
    (void)state;
    weir_message_settle_early(msg);
    return WEIR_OK;
}

static void settled_early_fails_later(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 7, 10);
    harness->handler.handle_message = settle_early;
    sink_script_message(harness->sink, "0:3", WEIR_REJECT, 1, "no");

    assert_int_equal(harness_run(harness, HEAD TO_COLLECTION FAILURE), 0);

    assert_int_equal(collection_count(harness->collection), 0);
    assert_int_equal(harness->stats.failed_after_settle, 1);
    assert_int_equal(harness->stats.done, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rejected_message_arrives_as_it_was_received_with_what_happened),
        TEST(retries_used_up_are_said),
        TEST(what_a_sink_refuses_becomes_a_dead_letter),
        TEST(a_delivery_that_used_up_its_retries_becomes_a_dead_letter),
        TEST(only_what_failed_is_routed_to_dead_letter),
        TEST(larger_than_max_message_bytes),
        TEST(larger_than_max_message_bytes_goes_to_the_queues_exchange),
        TEST(handle_failed_may_choose_it_and_add_headers),
        TEST(without_the_batcher_the_choice_is_refused),
        TEST(settled_early_fails_later),
    };
    return cmocka_run_group_tests_name("dead_letter", tests, NULL, NULL);
}
