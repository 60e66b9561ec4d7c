/*
 * message_test.c - what each answer of a handler does to its message, and to
 * the others.
 */
#include "harness.h"

#include <stdatomic.h>
#include <string.h>

#define setup    harness_setup
#define teardown harness_teardown

static const char *const plain =
    "producer: { SOURCE }\n"
    "processors: { handler: linked, concurrency: 2 }\n"
    "batchers: { default: { batch_size: 10, batch_timeout: 20ms, "
    "sink: { SINK } } }\n"
    "failure: { then: drop, retry: { attempts: 3, "
    "backoff: { min: 1ms, max: 5ms } } }\n";

static bool is(const struct weir_message *msg, const char *text)
{
    const struct weir_bytes payload = weir_message_payload(msg);

    return payload.size == strlen(text) &&
           memcmp(payload.data, text, payload.size) == 0;
}

static void ten_records(struct harness *harness)
{
    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 10);
}

static size_t delivered(struct harness *harness)
{
    return collection_count(sink_script_delivered(harness->sink));
}

static enum weir_status reject_three(struct weir_message *msg, void *state)
{
    (void)state;
    return is(msg, "0:3") ? weir_message_reject(msg, "three is bad") : WEIR_OK;
}

static void a_rejected_message_fails_alone(void **state)
{
    struct harness *harness = *state;

    ten_records(harness);
    harness->handler.handle_message = reject_three;

    assert_int_equal(harness_run(harness, plain), 0);

    assert_int_equal(delivered(harness), 9);
    assert_int_equal(harness->stats.done, 9);
    assert_int_equal(harness->stats.rejected, 1);
    assert_int_equal(harness->stats.rejected_by_handler, 1);
    assert_int_equal(producer_script_outcome(harness->source, 3),
                     WEIR_OUTCOME_DONE);
}

static enum weir_status finish_all(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    return WEIR_DONE;
}

static void a_message_that_is_done_skips_the_batcher(void **state)
{
    struct harness *harness = *state;

    ten_records(harness);
    harness->handler.handle_message = finish_all;

    assert_int_equal(harness_run(harness, plain), 0);

    assert_int_equal(delivered(harness), 0);
    assert_int_equal(harness->stats.done, 10);
}

static enum weir_status retry_three(struct weir_message *msg, void *state)
{
    (void)state;
    if (!is(msg, "0:3"))
        return WEIR_OK;
    return weir_message_attempt(msg) < 3 ? WEIR_RETRY : WEIR_OK;
}

static void a_retried_message_is_handled_again(void **state)
{
    struct harness *harness = *state;

    ten_records(harness);
    harness->handler.handle_message = retry_three;

    assert_int_equal(harness_run(harness, plain), 0);

    assert_int_equal(delivered(harness), 10);
    assert_int_equal(harness->stats.retries, 2);
    assert_int_equal(harness->stats.done, 10);
}

static enum weir_status retry_always(struct weir_message *msg, void *state)
{
    (void)state;
    return is(msg, "0:3") ? WEIR_RETRY : WEIR_OK;
}

static void retries_are_used_up(void **state)
{
    struct harness *harness = *state;

    ten_records(harness);
    harness->handler.handle_message = retry_always;

    assert_int_equal(harness_run(harness, plain), 0);

    assert_int_equal(delivered(harness), 9);
    assert_int_equal(harness->stats.retries, 2); /* three calls */
    assert_int_equal(harness->stats.rejected_retries, 1);
}

static enum weir_status nonsense(struct weir_message *msg, void *state)
{
    (void)state;
    return is(msg, "0:3") ? (enum weir_status)42 : WEIR_OK;
}

static void a_handler_that_returns_nonsense_fails_that_message(void **state)
{
    struct harness *harness = *state;

    ten_records(harness);
    harness->handler.handle_message = nonsense;

    assert_int_equal(harness_run(harness, plain), 0);

    assert_int_equal(harness->stats.rejected_nonsense, 1);
    assert_int_equal(harness->stats.done, 9);
}

static enum weir_status route_nowhere(struct weir_message *msg, void *state)
{
    (void)state;
    if (is(msg, "0:3"))
        weir_message_route(msg, "nowhere");
    return WEIR_OK;
}

static void a_message_routed_to_an_unknown_batcher_fails(void **state)
{
    struct harness *harness = *state;

    ten_records(harness);
    harness->handler.handle_message = route_nowhere;

    assert_int_equal(harness_run(harness, plain), 0);

    assert_int_equal(harness->stats.rejected_batcher, 1);
    assert_int_equal(delivered(harness), 9);
}

static void a_message_too_large_never_reaches_the_handler(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add(harness->source, 0, NULL, "small");
    producer_script_add_omitted(harness->source, 0, 5000000);

    assert_int_equal(harness_run(harness, plain), 0);

    assert_int_equal(harness->stats.rejected_size, 1);
    assert_int_equal(delivered(harness), 1);
}

static enum weir_status fatal(struct weir_message *msg, void *state)
{
    (void)state;
    return is(msg, "0:3") ? WEIR_FATAL : WEIR_OK;
}

static void a_fatal_answer_abandons_the_message_and_ends_the_run(void **state)
{
    struct harness *harness = *state;

    ten_records(harness);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = fatal;

    assert_int_equal(harness_run(harness, plain), PIPELINE_EXIT_GAVE_UP);

    /* The lane's later ones with it, un-begun. */
    assert_int_equal(harness->stats.abandoned, 7);
    assert_int_equal(delivered(harness), 3);
    assert_int_equal(producer_script_outcome(harness->source, 3),
                     WEIR_OUTCOME_LEAVE);
}

static void then_stop_abandons_the_message_and_exits_65(void **state)
{
    struct harness *harness = *state;

    ten_records(harness);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = reject_three;

    assert_int_equal(harness_run(harness,
                                 "producer: { SOURCE }\n"
                                 "processors: { handler: linked }\n"
                                 "batchers: { default: { batch_timeout: 20ms, "
                                 "sink: { SINK } } }\n"
                                 "failure: { then: stop }\n"),
                     PIPELINE_EXIT_STOPPED);

    assert_int_equal(producer_script_outcome(harness->source, 3),
                     WEIR_OUTCOME_LEAVE);
    assert_true(harness->stats.abandoned >= 1);
    assert_int_equal(harness->stats.rejected, 0);
}

static _Atomic unsigned failed_calls, failed_messages;

static enum weir_status count_failed(struct weir_message *const *messages,
                                     size_t count, void *state)
{
    (void)state;
    for (size_t i = 0; i < count; i++)
        assert_string_equal(weir_message_reason(messages[i]), "three is bad");
    failed_calls++;
    failed_messages += (unsigned)count;
    return WEIR_RETRY;
}

static void handle_failed_that_fails_changes_nothing(void **state)
{
    struct harness *harness = *state;

    failed_calls = failed_messages = 0;
    ten_records(harness);
    harness->handler.handle_message = reject_three;
    harness->handler.handle_failed = count_failed;

    assert_int_equal(harness_run(harness, plain), 0);

    assert_int_equal(failed_messages, 1);
    assert_int_equal(harness->stats.callback_errors, 1);
    assert_int_equal(harness->stats.rejected, 1);
}

static enum weir_status settle_early(struct weir_message *msg, void *state)
{
    (void)state;
    weir_message_settle_early(msg);
    return WEIR_OK;
}

static void settled_early_fails_later_is_counted_only(void **state)
{
    struct harness *harness = *state;

    ten_records(harness);
    harness->handler.handle_message = settle_early;
    sink_script_message(harness->sink, "0:4", WEIR_REJECT, 1, "no");

    assert_int_equal(harness_run(harness, plain), 0);

    assert_int_equal(harness->stats.done, 10);
    assert_int_equal(harness->stats.rejected, 0);
    assert_int_equal(harness->stats.failed_after_settle, 1);
    assert_int_equal(delivered(harness), 9);
}

static void without_batchers_messages_end_when_handled(void **state)
{
    struct harness *harness = *state;

    ten_records(harness);

    assert_int_equal(harness_run(harness, "producer: { SOURCE }\n"
                                          "processors: { handler: linked }\n"
                                          "failure: { then: drop }\n"),
                     0);

    assert_int_equal(harness->stats.done, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rejected_message_fails_alone),
        TEST(a_message_that_is_done_skips_the_batcher),
        TEST(a_retried_message_is_handled_again),
        TEST(retries_are_used_up),
        TEST(a_handler_that_returns_nonsense_fails_that_message),
        TEST(a_message_routed_to_an_unknown_batcher_fails),
        TEST(a_message_too_large_never_reaches_the_handler),
        TEST(a_fatal_answer_abandons_the_message_and_ends_the_run),
        TEST(then_stop_abandons_the_message_and_exits_65),
        TEST(handle_failed_that_fails_changes_nothing),
        TEST(settled_early_fails_later_is_counted_only),
        TEST(without_batchers_messages_end_when_handled),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
