/*
 * handler_test.c - what a handler may do in its other callbacks, and what of it
 * lasts.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "lanes.h"

#define teardown harness_teardown

enum { SEEN_SIZE = 64 };

static struct {
    _Atomic unsigned calls;
    char seen[16][SEEN_SIZE]; /* what callbacks noted, in their order */
    _Atomic unsigned seen_count;
} shared;

static int setup(void **state)
{
    memset(&shared, 0, sizeof shared);
    return harness_setup(state);
}

#define IN_ORDER                                                               \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 1, ordering: partition }\n"
#define TO_HANDLER                                                             \
    "batchers: { default: { batch_size: 3, batch_timeout: 10m } }\n"
#define TO_SINK                                                                \
    "batchers: { default: { batch_size: 3, batch_timeout: 10ms, "              \
    "sink: { SINK } } }\n"
#define FAILURE                                                                \
    "failure: { then: drop, retry: { attempts: 5, "                            \
    "backoff: { min: 1ms, max: 2ms } } }\n"

static void offer_three(struct harness *harness)
{
    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 3);
}

WEIR_PRINTF(1, 2) static void note(const char *fmt, ...)
{
    const unsigned at = shared.seen_count++;
    va_list args;

    assert_true(at < sizeof shared.seen / sizeof shared.seen[0]);
    va_start(args, fmt);
    (void)vsnprintf(shared.seen[at], SEEN_SIZE, fmt, args);
    va_end(args);
}

/* ---- an order, and a batch of which something is left over ---- */

/* The first time only the last message is delivered, and then the link breaks.
 */
static enum weir_status deliver_the_last_first(struct weir_batch *batch,
                                               void *state)
{
    const size_t count = weir_batch_count(batch);
    const bool is_first = shared.calls++ == 0;

    (void)state;
    for (size_t i = is_first ? count - 1 : 0; i < count; i++)
        note("%u", place_of(weir_batch_message(batch, i)).number);
    if (!is_first)
        return WEIR_OK;
    weir_batch_set_outcome(batch, count - 1, 1, WEIR_OK, NULL);
    return WEIR_RETRY;
}

static void what_follows_a_message_without_an_outcome_is_repeated(void **state)
{
    static const char *const expected[] = {"2", "0", "1", "2"};
    struct harness *harness = *state;

    offer_three(harness);
    harness->handler.handle_batch = deliver_the_last_first;

    assert_int_equal(harness_run(harness, IN_ORDER TO_HANDLER FAILURE), 0);

    assert_int_equal(shared.seen_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(shared.seen[i], expected[i]);
    assert_int_equal(harness->stats.done, 3);
}

/* ---- changes ---- */

static enum weir_status wrap_and_fail_once(struct weir_batch *batch,
                                           void *state)
{
    (void)state;
    for (size_t i = 0; i < weir_batch_count(batch); i++) {
        struct weir_message *msg = weir_batch_message(batch, i);
        struct weir_bytes payload;

        assert_int_equal(
            weir_message_add_header(msg, "wrapped", WEIR_STR("yes")), WEIR_OK);
        payload = weir_message_payload(msg);
        note("%.*s/%zu", (int)payload.size, (const char *)payload.data,
             weir_message_header_count(msg));
        assert_int_equal(weir_message_set_payload(msg, WEIR_STR("wrapped")),
                         WEIR_OK);
    }
    return shared.calls++ == 0 ? WEIR_RETRY : WEIR_OK;
}

static enum weir_status add_one_header(struct weir_message *msg, void *state)
{
    (void)state;
    assert_int_equal(weir_message_add_header(msg, "handled", WEIR_STR("yes")),
                     WEIR_OK);
    return WEIR_OK;
}

static void what_handle_batch_changed_is_forgotten_when_it_fails(void **state)
{
    struct harness *harness = *state;

    offer_three(harness);
    harness->handler.handle_message = add_one_header;
    harness->handler.handle_batch = wrap_and_fail_once;

    assert_int_equal(harness_run(harness, IN_ORDER TO_HANDLER FAILURE), 0);

    assert_int_equal(shared.seen_count, 6);
    assert_string_equal(shared.seen[0], "0:0/2");
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(shared.seen[i], shared.seen[i + 3]);
}

static enum weir_status prepare_by_header(struct weir_message *const *messages,
                                          size_t count, void *state)
{
    (void)state;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(
            weir_message_add_header(messages[i], "prepared", WEIR_STR("yes")),
            WEIR_OK);
    return WEIR_OK;
}

static enum weir_status retry_the_first(struct weir_message *msg, void *state)
{
    (void)state;
    shared.calls += weir_message_header_count(msg) != 1;
    return place_of(msg).number == 0 && weir_message_attempt(msg) < 3
               ? WEIR_RETRY
               : WEIR_OK;
}

static void what_prepare_changed_of_those_behind_a_retry_is_forgotten(
    void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 200);
    harness->handler.prepare_messages = prepare_by_header;
    harness->handler.handle_message = retry_the_first;

    assert_int_equal(harness_run(harness, IN_ORDER TO_SINK FAILURE), 0);

    assert_int_equal(harness->stats.done, 200);
    assert_int_equal(shared.calls, 0); /* none had another header, or none */
}

/* ---- prepare_messages ---- */

/* What it answers, so often, to those with the first message among them. */
static struct {
    enum weir_status answer;
    unsigned times, count; /* how many it got the first time */
} prepared;

static enum weir_status answer_the_first(struct weir_message *const *messages,
                                         size_t count, void *state)
{
    (void)state;
    if (place_of(messages[0]).number != 0 || prepared.times == 0)
        return WEIR_OK;
    prepared.times--;
    prepared.count = (unsigned)count;
    return prepared.answer;
}

static enum weir_status count_calls(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    shared.calls++;
    return WEIR_OK;
}

static void prepare_and_count(struct harness *harness, enum weir_status answer,
                              unsigned times)
{
    prepared.answer = answer;
    prepared.times = times;
    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 200);
    harness->handler.prepare_messages = answer_the_first;
    harness->handler.handle_message = count_calls;
}

static void what_prepare_messages_rejects_fails_and_the_rest_goes_on(
    void **state)
{
    struct harness *harness = *state;

    prepare_and_count(harness, WEIR_REJECT, 1);

    assert_int_equal(harness_run(harness, IN_ORDER TO_SINK FAILURE), 0);

    assert_in_range(prepared.count, 1, 199);
    assert_int_equal(harness->stats.rejected, prepared.count);
    assert_int_equal(harness->stats.rejected_by_handler, prepared.count);
    assert_int_equal(harness->stats.done, 200 - prepared.count);
    assert_int_equal(shared.calls, 200 - prepared.count);
}

static void what_prepare_messages_retries_is_held_and_handled_later(
    void **state)
{
    struct harness *harness = *state;

    prepare_and_count(harness, WEIR_RETRY, 2);

    assert_int_equal(harness_run(harness, IN_ORDER TO_SINK FAILURE), 0);

    assert_int_equal(prepared.times, 0);
    assert_true(harness->stats.retries >= 2);
    assert_int_equal(harness->stats.done, 200);
    assert_int_equal(shared.calls, 200); /* never those that were held */
}

/* ---- reasons ---- */

static enum weir_status note_reasons(struct weir_message *const *messages,
                                     size_t count, void *state)
{
    (void)state;
    for (size_t i = 0; i < count; i++)
        note("%s", weir_message_reason(messages[i]));
    return WEIR_OK;
}

static enum weir_status reject_with_a_reason(struct weir_batch *batch,
                                             void *state)
{
    (void)state;
    return weir_message_reject(weir_batch_message(batch, 0), "order %d is bad",
                               7);
}

static void a_reason_given_in_handle_batch_is_kept(void **state)
{
    struct harness *harness = *state;

    offer_three(harness);
    harness->handler.handle_batch = reject_with_a_reason;
    harness->handler.handle_failed = note_reasons;

    assert_int_equal(harness_run(harness, IN_ORDER TO_HANDLER FAILURE), 0);

    assert_int_equal(shared.seen_count, 3);
    assert_string_equal(shared.seen[0], "order 7 is bad");
    assert_string_equal(shared.seen[1], "handle_batch rejected the batch");
}

static enum weir_status answer_nonsense(struct weir_batch *batch, void *state)
{
    (void)state;
    weir_batch_set_outcome(batch, 0, 1, (enum weir_status)77, NULL);
    return (enum weir_status)99;
}

static void nonsense_of_handle_batch_is_named(void **state)
{
    struct harness *harness = *state;

    offer_three(harness);
    harness->handler.handle_batch = answer_nonsense;
    harness->handler.handle_failed = note_reasons;

    assert_int_equal(harness_run(harness, IN_ORDER TO_HANDLER FAILURE), 0);

    assert_int_equal(shared.seen_count, 3);
    assert_non_null(strstr(shared.seen[0], "77"));
    assert_non_null(strstr(shared.seen[1], "99"));
    assert_int_equal(harness->stats.rejected, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_follows_a_message_without_an_outcome_is_repeated),
        TEST(what_handle_batch_changed_is_forgotten_when_it_fails),
        TEST(what_prepare_changed_of_those_behind_a_retry_is_forgotten),
        TEST(what_prepare_messages_rejects_fails_and_the_rest_goes_on),
        TEST(what_prepare_messages_retries_is_held_and_handled_later),
        TEST(a_reason_given_in_handle_batch_is_kept),
        TEST(nonsense_of_handle_batch_is_named),
    };
    return cmocka_run_group_tests_name("handler", tests, NULL, NULL);
}
