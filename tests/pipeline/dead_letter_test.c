/*
 * dead_letter_test.c - what becomes of messages that the batcher `dead_letter`
 * has: what they carry, when they are settled, what holds them.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "lanes.h"

#define teardown harness_teardown

static struct {
    struct gate gate;
    _Atomic unsigned handled, failed;
    _Atomic bool is_open;
} shared;

static int setup(void **state)
{
    shared.gate = (struct gate)GATE_CLOSED;
    shared.handled = shared.failed = 0;
    shared.is_open = false;
    return harness_setup(state);
}

#define HEAD                                                                   \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2, ordering: none }\n"
#define LIMITS "batch_size: 10, batch_timeout: 5ms"
#define TO_COLLECTION                                                          \
    "batchers: { dead_letter: { " LIMITS ", sink: { COLLECT } }, "             \
    "default: { " LIMITS ", sink: { SINK } } }\n"
#define TO_SINK                                                                \
    "batchers: { default: { " LIMITS ", sink: { COLLECT } }, "                 \
    "dead_letter: { " LIMITS ", sink: { SINK } } }\n"
#define FAILURE                                                                \
    "failure: { then: dead_letter, retry: { attempts: 3, "                     \
    "backoff: { min: 1ms, max: 4ms } } }\n"

static void offer(struct harness *harness, unsigned count)
{
    producer_script_begin(harness->source, 0, "t", 7);
    producer_script_add_many(harness->source, 0, count);
}

static unsigned settled(struct harness *harness, enum weir_outcome outcome)
{
    return producer_script_counts(harness->source).settled[outcome];
}

static struct collection *sunk(struct harness *harness)
{
    return sink_script_delivered(harness->sink);
}

static int64_t soon(void)
{
    return clock_after_us(10 * CLOCK_SECOND_US);
}

/* Changes everything first: none of it may be seen in a dead letter. */
static enum weir_status reject_three(struct weir_message *msg, void *state)
{
    (void)state;
    assert_int_equal(weir_message_set_payload(msg, WEIR_STR("changed")),
                     WEIR_OK);
    assert_int_equal(weir_message_add_header(msg, "half", WEIR_STR("made")),
                     WEIR_OK);
    weir_message_set_batch_key(msg, WEIR_STR("key"));
    if (weir_message_offset(msg) == 3)
        return weir_message_reject(msg, "order %d has no total", 3);
    return WEIR_OK;
}

static enum weir_status reject_all(struct weir_message *msg, void *state)
{
    (void)state;
    shared.handled++;
    return weir_message_reject(msg, "bad");
}

static void assert_header(const struct collected *letter, const char *name,
                          const char *value)
{
    const char *const found = collected_header(letter, name);

    if (!found)
        fail_msg("the dead letter has no %s", name);
    assert_string_equal(found, value);
}

/* ---- what it carries ---- */

static void a_rejected_message_arrives_as_it_was_received_with_what_happened(
    void **state)
{
    struct harness *harness = *state;
    const struct collected *letter;

    offer(harness, 10);
    harness->handler.handle_message = reject_three;

    assert_int_equal(harness_run(harness, HEAD TO_COLLECTION FAILURE), 0);

    assert_int_equal(collection_count(harness->collection), 1);
    assert_int_equal(collection_count(sunk(harness)), 9);
    letter = collection_get(harness->collection, 0);
    assert_string_equal(letter->batcher, "dead_letter");
    assert_string_equal(letter->payload, "0:3");
    assert_null(letter->key);
    assert_null(collected_header(letter, "half"));
    assert_header(letter, "weir-source", "scripted");
    assert_header(letter, "weir-topic", "t");
    assert_header(letter, "weir-partition", "7");
    assert_header(letter, "weir-offset", "3");
    assert_header(letter, "weir-reason", "order 3 has no total");
    assert_header(letter, "weir-code", "rejected");
    assert_header(letter, "weir-attempts", "1");
    assert_header(letter, "weir-pipeline", "test");
    assert_non_null(collected_header(letter, "weir-host"));
    assert_non_null(collected_header(letter, "weir-version"));
    assert_null(collected_header(letter, "weir-batcher"));
    assert_null(collected_header(letter, "weir-payload-omitted"));
    assert_string_equal(collected_header(letter, "weir-first-failed-at"),
                        collected_header(letter, "weir-last-failed-at"));
    assert_int_equal(settled(harness, WEIR_OUTCOME_DONE), 10);
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

    offer(harness, 1);
    harness->handler.handle_message = retry_all;

    assert_int_equal(
        harness_run(harness, HEAD TO_COLLECTION
                    "failure: { then: dead_letter, retry: { attempts: 12, "
                    "backoff: { min: 5ms, max: 5ms } } }\n"),
        0);

    letter = collection_get(harness->collection, 0);
    assert_header(letter, "weir-code", "retries");
    assert_header(letter, "weir-attempts", "12");
    assert_header(letter, "weir-reason",
                  "tried 12 times, each answered: again");
    assert_true(strcmp(collected_header(letter, "weir-first-failed-at"),
                       collected_header(letter, "weir-last-failed-at")) < 0);
}

static void what_a_sink_refuses_becomes_a_dead_letter(void **state)
{
    struct harness *harness = *state;
    const struct collected *letter;

    offer(harness, 100);
    sink_script_message(harness->sink, "0:42", WEIR_REJECT, 1, "no such table");

    assert_int_equal(harness_run(harness, HEAD TO_COLLECTION FAILURE), 0);

    assert_int_equal(collection_count(harness->collection), 1);
    letter = collection_get(harness->collection, 0);
    assert_string_equal(letter->payload, "0:42");
    assert_header(letter, "weir-code", "sink");
    assert_header(letter, "weir-batcher", "default");
    assert_header(letter, "weir-reason", "no such table");
    assert_header(letter, "weir-attempts", "1");
    assert_int_equal(settled(harness, WEIR_OUTCOME_DONE), 100);
    assert_int_equal(harness->stats.done, 99);
    assert_int_equal(harness->stats.rejected_sink, 1);
}

static void a_delivery_that_used_up_its_retries_becomes_a_dead_letter(
    void **state)
{
    struct harness *harness = *state;
    const struct collected *letter;

    offer(harness, 20);
    harness->handler.handle_message = reject_three; /* changes the payload */
    sink_script_message(harness->sink, "changed", WEIR_RETRY, 1000, "busy");

    assert_int_equal(harness_run(harness, HEAD TO_COLLECTION FAILURE), 0);

    assert_int_equal(collection_count(harness->collection), 20);
    for (size_t i = 0; i < 20; i++) {
        letter = collection_get(harness->collection, i);
        assert_memory_equal(letter->payload, "0:", 2);
        if (letter->offset == 3)
            continue;
        assert_header(letter, "weir-code", "retries");
        assert_header(letter, "weir-attempts", "3");
        assert_header(letter, "weir-reason", "busy");
        assert_header(letter, "weir-batcher", "default");
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

    offer(harness, 2);
    harness->handler.handle_message = route_astray;

    assert_int_equal(harness_run(harness, HEAD TO_COLLECTION FAILURE), 0);

    assert_int_equal(collection_count(harness->collection), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct collected *letter = collection_get(harness->collection, i);

        assert_header(letter, "weir-code", "unknown-batcher");
        assert_header(letter, "weir-reason",
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
    assert_header(letter, "weir-code", "size");
    assert_header(letter, "weir-payload-omitted", "3000000");
    assert_int_equal(settled(harness, WEIR_OUTCOME_DONE), 1);
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
    assert_int_equal(settled(harness, WEIR_OUTCOME_DISCARD), 1);
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

    offer(harness, 10);
    harness->handler.handle_message = reject_all;
    harness->handler.handle_failed = note_failed;

    assert_int_equal(
        harness_run(harness, HEAD TO_COLLECTION "failure: { then: stop }\n"),
        0);

    assert_int_equal(collection_count(harness->collection), 5);
    for (size_t i = 0; i < 5; i++) {
        const struct collected *letter = collection_get(harness->collection, i);

        assert_header(letter, "team", "billing");
        assert_header(letter, "weir-reason", "bad");
    }
    assert_int_equal(shared.failed, 10); /* not again as a letter */
    assert_int_equal(harness->stats.rejected, 10);
    assert_int_equal(harness->stats.callback_errors, 0);
}

static void without_the_batcher_the_choice_is_refused(void **state)
{
    struct harness *harness = *state;

    offer(harness, 2);
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

    offer(harness, 10);
    harness->handler.handle_message = settle_early;
    sink_script_message(harness->sink, "0:3", WEIR_REJECT, 1, "no");

    assert_int_equal(harness_run(harness, HEAD TO_COLLECTION FAILURE), 0);

    assert_int_equal(collection_count(harness->collection), 0);
    assert_int_equal(harness->stats.failed_after_settle, 1);
    assert_int_equal(harness->stats.done, 10);
}

/* ---- when it is settled ---- */

static void a_message_is_settled_when_its_dead_letter_is_confirmed(void **state)
{
    struct harness *harness = *state;
    struct pipeline_stats stats;

    offer(harness, 10);
    harness->handler.handle_message = reject_three;
    sink_script_set_late(harness->sink, true);
    harness_start(harness, HEAD TO_SINK FAILURE);

    assert_true(producer_script_wait(harness->source, 9, soon()));
    while (sink_script_writes(harness->sink) == 0)
        (void)collection_wait(sunk(harness), 1, clock_after_us(1000));
    pipeline_stats(harness->pipeline, &stats);
    assert_int_equal(producer_script_outcome(harness->source, 3), -1);
    assert_int_equal(stats.in_flight, 1);
    assert_int_equal(stats.rejected, 0);
    sink_script_release(harness->sink);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(producer_script_outcome(harness->source, 3),
                     WEIR_OUTCOME_DONE);
    assert_int_equal(harness->stats.rejected, 1);
    assert_int_equal(collection_count(sunk(harness)), 1);
}

static void dead_letter_sink_fails(void **state)
{
    struct harness *harness = *state;

    offer(harness, 10);
    harness->handler.handle_message = reject_three;
    sink_script_open(harness->sink, WEIR_RETRY, 2);
    sink_script_write(harness->sink, WEIR_RETRY, 1);
    sink_script_message(harness->sink, NULL, WEIR_RETRY, 20, "busy");

    assert_int_equal(harness_run(harness, HEAD TO_SINK FAILURE), 0);

    assert_int_equal(collection_count(sunk(harness)), 1);
    assert_string_equal(collection_get(sunk(harness), 0)->payload, "0:3");
    assert_int_equal(harness->stats.rejected, 1);
    assert_int_equal(harness->stats.dead_letters, 1);
    assert_int_equal(harness->stats.dead_letter_errors, 23);
    assert_int_equal(settled(harness, WEIR_OUTCOME_DONE), 10);
}

static void dead_letter_sink_refuses_for_good(void **state)
{
    struct harness *harness = *state;
    const struct collected *letter;

    offer(harness, 10);
    harness->handler.handle_message = reject_three;
    sink_script_message(harness->sink, "0:3", WEIR_REJECT, 100, "too large");

    assert_int_equal(harness_run(harness, HEAD TO_SINK FAILURE), 0);

    assert_int_equal(collection_count(sunk(harness)), 1);
    letter = collection_get(sunk(harness), 0);
    assert_null(letter->payload);
    assert_header(letter, "weir-payload-omitted", "3");
    assert_header(letter, "weir-reason", "order 3 has no total");
    assert_int_equal(harness->stats.dead_letter_errors, 1);
    assert_int_equal(harness->stats.rejected, 1);
}

static void dead_letter_sink_refuses_twice(void **state)
{
    struct harness *harness = *state;

    offer(harness, 10);
    harness->handler.handle_message = reject_three;
    sink_script_message(harness->sink, NULL, WEIR_REJECT, 100, "not allowed");

    assert_int_equal(harness_run(harness, HEAD TO_SINK FAILURE),
                     PIPELINE_EXIT_STOPPED);

    assert_int_equal(producer_script_outcome(harness->source, 3),
                     WEIR_OUTCOME_LEAVE);
    assert_int_equal(harness->stats.dead_letter_errors, 2);
    assert_int_equal(harness->stats.rejected, 0);
    assert_int_equal(harness->stats.abandoned, 1);
}

static enum weir_status keep_letters(struct weir_batch *batch, void *state)
{
    (void)state;
    for (size_t i = 0; i < weir_batch_count(batch); i++) {
        struct weir_message *msg = weir_batch_message(batch, i);

        if (strcmp(weir_batch_batcher(batch), "dead_letter") != 0)
            continue;
        shared.handled++;
        if (weir_message_payload(msg).data)
            weir_batch_set_outcome(
                batch, i, 1, weir_message_reject(msg, "only short ones"), NULL);
        else if (!weir_message_find_header(msg, "weir-payload-omitted").data)
            weir_batch_set_outcome(batch, i, 1, WEIR_FATAL, "no header");
    }
    return WEIR_OK;
}

static void a_handler_may_be_the_dead_letters_destination(void **state)
{
    struct harness *harness = *state;

    offer(harness, 10);
    harness->handler.handle_message = reject_three;
    harness->handler.handle_batch = keep_letters;

    assert_int_equal(harness_run(harness, HEAD "batchers: { default: { " LIMITS
                                               " }, dead_letter: { " LIMITS
                                               " } }\n" FAILURE),
                     0);

    assert_int_equal(shared.handled, 2);
    assert_int_equal(harness->stats.dead_letters, 1);
    assert_int_equal(harness->stats.done, 9);
}

/* ---- full, and drained ---- */

static enum weir_status reject_every_other(struct weir_message *msg,
                                           void *state)
{
    (void)state;
    return place_of(msg).number % 2 ? WEIR_OK : WEIR_REJECT;
}

/* True when nothing more was offered for a while, though there is more. */
static bool has_stopped(struct harness *harness)
{
    static unsigned last, calls;
    const unsigned offered = producer_script_counts(harness->source).offered;

    calls = offered == last && offered > 0 ? calls + 1 : 0;
    last = offered;
    return calls > 50; /* 100 ms */
}

static enum weir_status refuse_until_open(struct weir_batch *batch, void *state)
{
    (void)state;
    if (strcmp(weir_batch_batcher(batch), "dead_letter") == 0)
        return shared.is_open ? WEIR_OK : WEIR_RETRY;
    return WEIR_REJECT;
}

/* Processors hand letters over while the other sink does; neither may wait
 * for the other. */
static void a_standing_dead_letter_sink_stops_the_source_and_nothing_locks(
    void **state)
{
    struct harness *harness = *state;

    offer(harness, 4000);
    harness->handler.handle_message = reject_every_other;
    harness->handler.handle_batch = refuse_until_open;
    harness_start(
        harness,
        "producer: { SOURCE }\n"
        "processors: { handler: linked, concurrency: 2, ordering: none, "
        "max_demand: 64 }\n"
        "batchers: { default: { " LIMITS " }, dead_letter: { " LIMITS
        " } }\n" FAILURE);
    harness_wait(harness, has_stopped);
    assert_true(producer_script_counts(harness->source).offered < 1000);
    assert_int_equal(settled(harness, WEIR_OUTCOME_DONE), 0);
    shared.is_open = true;

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(settled(harness, WEIR_OUTCOME_DONE), 4000);
    assert_int_equal(harness->stats.dead_letters, 4000);
    assert_int_equal(harness->stats.rejected_by_handler, 2000);
    assert_int_equal(harness->stats.rejected_sink, 2000);
}

static enum weir_status wait_at_gate(struct weir_message *msg, void *state)
{
    (void)state;
    shared.handled++;
    if (place_of(msg).number == 0)
        gate_pass(&shared.gate);
    return WEIR_OK;
}

static bool is_draining(struct harness *harness)
{
    struct pipeline_stats stats;

    pipeline_stats(harness->pipeline, &stats);
    return stats.is_draining;
}

static void what_fails_in_a_drain_is_dead_lettered_before_its_end(void **state)
{
    struct harness *harness = *state;

    offer(harness, 10);
    harness->source_ops.backlog = WEIR_BACKLOG_FINISH;
    harness->handler.handle_message = wait_at_gate;
    sink_script_message(harness->sink, NULL, WEIR_REJECT, 100, "no");
    producer_script_set_endless(harness->source);
    harness_start(harness, HEAD
                  "batchers: { default: { batch_size: 100, batch_timeout: 10m, "
                  "sink: { SINK } }, dead_letter: { batch_size: 100, "
                  "batch_timeout: 10m, sink: { COLLECT } } }\n" FAILURE);
    gate_await(&shared.gate, 1);
    harness_drain(harness);
    harness_wait(harness, is_draining);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(collection_count(harness->collection), 10);
    assert_int_equal(harness->stats.rejected, 10);
    assert_int_equal(harness->stats.abandoned, 0);
}

static bool a_letter_failed(struct harness *harness)
{
    struct pipeline_stats stats;

    pipeline_stats(harness->pipeline, &stats);
    return stats.dead_letter_errors > 0;
}

static void a_drain_leaves_letters_that_no_destination_takes(void **state)
{
    struct harness *harness = *state;

    offer(harness, 10);
    harness->handler.handle_message = reject_three;
    sink_script_write(harness->sink, WEIR_RETRY, SINK_SCRIPT_ALWAYS);
    harness_start(harness, HEAD TO_SINK FAILURE "shutdown: { timeout: 1s }\n");
    harness_wait(harness, a_letter_failed);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), PIPELINE_EXIT_LATE);
    assert_int_equal(producer_script_outcome(harness->source, 3),
                     WEIR_OUTCOME_LEAVE);
    assert_int_equal(harness->stats.abandoned, 1);
    assert_int_equal(harness->stats.rejected, 0);
}

static void a_letter_of_an_ended_epoch_is_left(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 10);
    producer_script_pause(harness->source);
    producer_script_end(harness->source, 0);
    harness->handler.handle_message = reject_all;
    sink_script_write(harness->sink, WEIR_RETRY, SINK_SCRIPT_ALWAYS);
    harness_start(harness, HEAD TO_SINK FAILURE);
    harness_wait(harness, a_letter_failed);
    producer_script_continue(harness->source);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.abandoned, 10);
    assert_int_equal(harness->stats.dead_letters, 0);
}

/* ---- order ---- */

static void letters_of_a_lane_keep_their_order(void **state)
{
    struct harness *harness = *state;

    for (unsigned lane = 0; lane < 4; lane++) {
        producer_script_begin(harness->source, lane, "t", (int)lane);
        producer_script_add_many(harness->source, lane, 200);
    }
    harness->handler.handle_message = reject_all;
    for (unsigned number = 3; number < 200; number += 10) {
        char payload[16];

        (void)snprintf(payload, sizeof payload, "%u:%u", number % 4, number);
        sink_script_message(harness->sink, payload, WEIR_RETRY, 5, "busy");
    }

    assert_int_equal(
        harness_run(harness,
                    "producer: { SOURCE }\n"
                    "processors: { handler: linked, concurrency: 4, "
                    "ordering: partition }\n"
                    "batchers: { default: { sink: { COLLECT } }, dead_letter: "
                    "{ " LIMITS
                    ", concurrency: 2, sink: { SINK } } }\n" FAILURE),
        0);

    assert_in_order_at_last(sunk(harness), 4, 200);
    assert_int_equal(harness->stats.rejected, 800);
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
        TEST(a_message_is_settled_when_its_dead_letter_is_confirmed),
        TEST(dead_letter_sink_fails),
        TEST(dead_letter_sink_refuses_for_good),
        TEST(dead_letter_sink_refuses_twice),
        TEST(a_handler_may_be_the_dead_letters_destination),
        TEST(a_standing_dead_letter_sink_stops_the_source_and_nothing_locks),
        TEST(what_fails_in_a_drain_is_dead_lettered_before_its_end),
        TEST(a_drain_leaves_letters_that_no_destination_takes),
        TEST(a_letter_of_an_ended_epoch_is_left),
        TEST(letters_of_a_lane_keep_their_order),
    };
    return cmocka_run_group_tests_name("dead_letter", tests, NULL, NULL);
}
