/*
 * dead_letter_held_test.c - when a message that has a dead letter is settled,
 * and what holds it until then.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "lanes.h"
#include "letter.h"

#define teardown harness_teardown

static struct {
    struct gate gate;
    _Atomic unsigned handled;
    _Atomic bool is_open;
} shared;

static int setup(void **state)
{
    shared.gate = (struct gate)GATE_CLOSED;
    shared.handled = 0;
    shared.is_open = false;
    return harness_setup(state);
}

#define TO_SINK                                                                \
    "batchers: { default: { " LIMITS ", sink: { COLLECT } }, "                 \
    "dead_letter: { " LIMITS ", sink: { SINK } } }\n"

static int64_t soon(void)
{
    return clock_after_us(10 * CLOCK_SECOND_US);
}

static enum weir_status reject_all(struct weir_message *msg, void *state)
{
    (void)state;
    shared.handled++;
    return weir_message_reject(msg, "bad");
}

/* ---- when it is settled ---- */

static void a_message_is_settled_when_its_dead_letter_is_confirmed(void **state)
{
    struct harness *harness = *state;
    struct pipeline_stats stats;

    harness_offer(harness, 7, 10);
    harness->handler.handle_message = letter_reject_three;
    sink_script_set_late(harness->sink, true);
    harness_start(harness, HEAD TO_SINK FAILURE);

    assert_true(producer_script_wait(harness->source, 9, soon()));
    while (sink_script_writes(harness->sink) == 0)
        (void)collection_wait(harness_sunk(harness), 1, clock_after_us(1000));
    pipeline_stats(harness->pipeline, &stats);
    assert_int_equal(producer_script_outcome(harness->source, 3), -1);
    assert_int_equal(stats.in_flight, 1);
    assert_int_equal(stats.rejected, 0);
    sink_script_release(harness->sink);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(producer_script_outcome(harness->source, 3),
                     WEIR_OUTCOME_DONE);
    assert_int_equal(harness->stats.rejected, 1);
    assert_int_equal(collection_count(harness_sunk(harness)), 1);
}

static void dead_letter_sink_fails(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 7, 10);
    harness->handler.handle_message = letter_reject_three;
    sink_script_open(harness->sink, WEIR_RETRY, 2);
    sink_script_write(harness->sink, WEIR_RETRY, 1);
    sink_script_message(harness->sink, NULL, WEIR_RETRY, 20, "busy");

    assert_int_equal(harness_run(harness, HEAD TO_SINK FAILURE), 0);

    assert_int_equal(collection_count(harness_sunk(harness)), 1);
    assert_string_equal(collection_get(harness_sunk(harness), 0)->payload,
                        "0:3");
    assert_int_equal(harness->stats.rejected, 1);
    assert_int_equal(harness->stats.dead_letters, 1);
    assert_int_equal(harness->stats.dead_letter_errors, 23);
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_DONE), 10);
}

static void dead_letter_sink_refuses_for_good(void **state)
{
    struct harness *harness = *state;
    const struct collected *letter;

    harness_offer(harness, 7, 10);
    harness->handler.handle_message = letter_reject_three;
    sink_script_message(harness->sink, "0:3", WEIR_REJECT, 100, "too large");

    assert_int_equal(harness_run(harness, HEAD TO_SINK FAILURE), 0);

    assert_int_equal(collection_count(harness_sunk(harness)), 1);
    letter = collection_get(harness_sunk(harness), 0);
    assert_null(letter->payload);
    letter_assert_header(letter, "weir-payload-omitted", "3");
    letter_assert_header(letter, "weir-reason", "order 3 has no total");
    assert_int_equal(harness->stats.dead_letter_errors, 1);
    assert_int_equal(harness->stats.rejected, 1);
}

static void dead_letter_sink_refuses_twice(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 7, 10);
    harness->handler.handle_message = letter_reject_three;
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

    harness_offer(harness, 7, 10);
    harness->handler.handle_message = letter_reject_three;
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

    harness_offer(harness, 7, 4000);
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
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_DONE), 0);
    shared.is_open = true;

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness_settled(harness, WEIR_OUTCOME_DONE), 4000);
    assert_int_equal(harness->stats.dead_letters, 4000);
    assert_int_equal(harness->stats.rejected_by_handler, 2000);
    assert_int_equal(harness->stats.rejected_sink, 2000);
}

/* They count in the memory budget, with all that was written into them. */
static void dead_letters_that_use_up_the_memory_stop_the_source(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 7, 8000);
    harness->handler.handle_message = reject_every_other;
    harness->handler.handle_batch = refuse_until_open;
    harness_start(
        harness,
        "producer: { SOURCE, max_message_bytes: 64KiB }\n"
        "processors: { handler: linked, concurrency: 2, ordering: none, "
        "max_demand: 100000 }\nmemory: 8MiB\n"
        "batchers: { default: { " LIMITS " }, dead_letter: { " LIMITS
        " } }\n" FAILURE);
    harness_wait(harness, has_stopped);
    assert_in_range(producer_script_counts(harness->source).offered, 1000,
                    7999);
    shared.is_open = true;

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.dead_letters, 8000);
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

static bool is_written(struct harness *harness)
{
    return sink_script_writes(harness->sink) == 1;
}

static void what_fails_in_a_drain_is_dead_lettered_before_its_end(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 7, 10);
    harness->source_ops.backlog = WEIR_BACKLOG_FINISH;
    harness->handler.handle_message = wait_at_gate;
    sink_script_message(harness->sink, NULL, WEIR_REJECT, 100, "no");
    sink_script_set_late(harness->sink, true);
    producer_script_set_endless(harness->source);
    harness_start(harness, HEAD
                  "batchers: { default: { batch_size: 100, batch_timeout: 10m, "
                  "sink: { SINK } }, dead_letter: { batch_size: 100, "
                  "batch_timeout: 10m, sink: { COLLECT } } }\n" FAILURE);
    gate_await(&shared.gate, 1);
    harness_drain(harness);
    harness_wait(harness, is_draining);
    gate_open(&shared.gate);
    harness_wait(harness, is_written);
    sink_script_release(harness->sink);

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

    harness_offer(harness, 7, 10);
    harness->handler.handle_message = letter_reject_three;
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

static void a_letter_that_is_refused_holds_its_lane(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 100);
    harness->handler.handle_message = reject_all;
    sink_script_message(harness->sink, "0:42", WEIR_REJECT, 1, "too large");

    assert_int_equal(
        harness_run(harness,
                    "producer: { SOURCE }\n"
                    "processors: { handler: linked, concurrency: 4, "
                    "ordering: partition }\n"
                    "batchers: { default: { sink: { COLLECT } }, dead_letter: "
                    "{ batch_size: 100, batch_timeout: 50ms, sink: { SINK } } "
                    "}\n" FAILURE),
        0);

    /* Without its payload, and what is behind it once more. */
    for (size_t i = 42; i < 100; i++) {
        const struct collected *letter =
            collection_get(harness_sunk(harness),
                           collection_count(harness_sunk(harness)) - 100 + i);

        assert_int_equal(letter->offset, i);
        assert_int_equal(letter->payload == NULL, i == 42);
    }
    assert_int_equal(harness->stats.dead_letters, 100);
}

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

    assert_in_order_at_last(harness_sunk(harness), 4, 200);
    assert_int_equal(harness->stats.rejected, 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_settled_when_its_dead_letter_is_confirmed),
        TEST(dead_letter_sink_fails),
        TEST(dead_letter_sink_refuses_for_good),
        TEST(dead_letter_sink_refuses_twice),
        TEST(a_handler_may_be_the_dead_letters_destination),
        TEST(a_standing_dead_letter_sink_stops_the_source_and_nothing_locks),
        TEST(dead_letters_that_use_up_the_memory_stop_the_source),
        TEST(what_fails_in_a_drain_is_dead_lettered_before_its_end),
        TEST(a_drain_leaves_letters_that_no_destination_takes),
        TEST(a_letter_of_an_ended_epoch_is_left),
        TEST(a_letter_that_is_refused_holds_its_lane),
        TEST(letters_of_a_lane_keep_their_order),
    };
    return cmocka_run_group_tests_name("dead_letter_held", tests, NULL, NULL);
}
