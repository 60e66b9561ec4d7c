/*
 * sink_test.c - destinations that are down, that refuse messages, that give up:
 * what is held, what is tried again, what ends the run.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>

#include "lanes.h"

#define teardown harness_teardown

static struct {
    _Atomic unsigned handled, batches, leaks;
} shared;

static int setup(void **state)
{
    shared.handled = shared.batches = shared.leaks = 0;
    return harness_setup(state);
}

#define HEAD                                                                   \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2, ordering: none }\n"
#define TO_SINK                                                                \
    "batchers: { default: { batch_size: 10, batch_timeout: 10ms, "             \
    "sink: { SINK } } }\n"
#define TO_HANDLER                                                             \
    "batchers: { default: { batch_size: 10, batch_timeout: 10ms } }\n"
#define FAILURE                                                                \
    "failure: { then: drop, retry: { attempts: 3, "                            \
    "backoff: { min: 1ms, max: 4ms } } }\n"

static struct collection *delivered(struct harness *harness)
{
    return sink_script_delivered(harness->sink);
}

static enum weir_status count_calls(struct weir_message *msg, void *state)
{
    (void)state;
    (void)msg;
    shared.handled++;
    return WEIR_OK;
}

/* ---- down ---- */

static void a_destination_that_is_down_is_held_for(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 100);
    harness->handler.handle_message = count_calls;
    sink_script_write(harness->sink, WEIR_RETRY, 3); /* as many as attempts */

    assert_int_equal(harness_run(harness, HEAD TO_SINK FAILURE), 0);

    assert_int_equal(collection_count(delivered(harness)), 100);
    assert_int_equal(shared.handled, 100); /* not made again */
    assert_int_equal(harness->stats.sink_retries, 3);
    assert_int_equal(harness->stats.retries, 0);
    assert_int_equal(harness->stats.rejected, 0);
    assert_int_equal(sink_script_opens(harness->sink), 4);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(collection_get(delivered(harness), i)->attempt, 1);
}

static void a_destination_that_does_not_open_is_held_for(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 100);
    sink_script_open(harness->sink, WEIR_RETRY, 3);

    assert_int_equal(harness_run(harness, HEAD TO_SINK FAILURE), 0);

    assert_int_equal(harness->stats.done, 100);
    assert_int_equal(harness->stats.sink_retries, 3);
    assert_int_equal(sink_script_opens(harness->sink), 4);
}

enum { SINK_ROOM = 16, TRIES = 4 };

static bool is_full(struct harness *harness)
{
    return sink_script_writes(harness->sink) > SINK_ROOM;
}

static bool has_tried_on(struct harness *harness)
{
    return sink_script_writes(harness->sink) > SINK_ROOM + TRIES;
}

/* It says when it has room; until then it is asked a few times a second. */
static void a_full_destination_is_not_asked_all_the_time(void **state)
{
    struct harness *harness = *state;
    int64_t began_us;

    harness_offer(harness, 0, 2 * SINK_ROOM);
    sink_script_set_late(harness->sink, true);
    harness_start(harness, HEAD
                  "batchers: { default: { batch_size: 1, max_in_flight: 100, "
                  "sink: { SINK } } }\n" FAILURE);
    harness_wait(harness, is_full);
    began_us = clock_now_us();
    harness_wait(harness, has_tried_on);
    assert_true(clock_now_us() - began_us > CLOCK_SECOND_US / 10);
    sink_script_release(harness->sink);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 2 * SINK_ROOM);
}

static bool has_opened_again(struct harness *harness)
{
    return sink_script_opens(harness->sink) == 2;
}

static void an_idle_destination_that_is_lost_is_opened_again(void **state)
{
    struct harness *harness = *state;

    producer_script_set_endless(harness->source);
    sink_script_poll(harness->sink, WEIR_RETRY, 1);

    harness_start(harness, HEAD TO_SINK FAILURE);
    harness_wait(harness, has_opened_again); /* with nothing to deliver */

    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
}

static bool is_disconnected(struct harness *harness)
{
    struct pipeline_stats stats;

    pipeline_stats(harness->pipeline, &stats);
    return !stats.is_connected && stats.sink_retries > 0;
}

static bool is_connected(struct harness *harness)
{
    struct pipeline_stats stats;

    pipeline_stats(harness->pipeline, &stats);
    return stats.is_connected;
}

/* The connector's client has what was written, and brings it there by itself
 * when it can: it is counted once, seen, and not opened again. */
static void a_client_that_tries_by_itself_is_down_for_as_long(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 100);
    producer_script_set_endless(harness->source);
    sink_script_set_late(harness->sink, true);
    sink_script_poll(harness->sink, WEIR_HOLD, 5);

    harness_start(harness, HEAD TO_SINK FAILURE);
    harness_wait(harness, is_disconnected);
    harness_wait(harness, is_connected);
    sink_script_release(harness->sink);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);

    assert_int_equal(harness->stats.done, 100);
    assert_int_equal(harness->stats.sink_retries, 1);
    assert_int_equal(sink_script_opens(harness->sink), 1);
}

static enum weir_status batch_is_down(struct weir_batch *batch, void *state)
{
    (void)state;
    (void)batch;
    return ++shared.batches <= 8 ? WEIR_RETRY : WEIR_OK;
}

static void a_handler_whose_destination_is_down_is_called_again(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 100);
    harness->handler.handle_message = count_calls;
    harness->handler.handle_batch = batch_is_down;

    assert_int_equal(harness_run(harness, HEAD TO_HANDLER FAILURE), 0);

    assert_int_equal(harness->stats.done, 100);
    assert_int_equal(harness->stats.sink_retries, 8);
    assert_int_equal(harness->stats.retries, 0);
    assert_int_equal(shared.handled, 100);
}

static enum weir_status add_one(struct weir_message *msg, void *state)
{
    (void)state;
    return weir_message_add_header(msg, "from", WEIR_STR("handle_message"));
}

/* Sees what handle_message() made, each time, and changes it. */
static enum weir_status change_and_refuse(struct weir_batch *batch, void *state)
{
    (void)state;
    for (size_t i = 0; i < weir_batch_count(batch); i++) {
        struct weir_message *msg = weir_batch_message(batch, i);

        if (weir_message_header_count(msg) != 1 ||
            weir_message_payload(msg).size == strlen("changed"))
            shared.leaks++;
        if (weir_message_add_header(msg, "from", WEIR_STR("handle_batch")) !=
                WEIR_OK ||
            weir_message_set_payload(msg, WEIR_STR("changed")) != WEIR_OK)
            shared.leaks++;
    }
    return ++shared.batches <= 3 ? WEIR_RETRY : WEIR_OK;
}

static void what_a_batch_handler_changed_is_gone_when_it_is_called_again(
    void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 100);
    harness->handler.handle_message = add_one;
    harness->handler.handle_batch = change_and_refuse;

    assert_int_equal(harness_run(harness, HEAD TO_HANDLER FAILURE), 0);

    assert_int_equal(shared.leaks, 0);
    assert_int_equal(harness->stats.sink_retries, 3);
    assert_int_equal(harness->stats.done, 100);
}

static _Atomic bool door_is_open;

static enum weir_status wait_for_door(struct weir_batch *batch, void *state)
{
    (void)state;
    (void)batch;
    return door_is_open ? WEIR_OK : WEIR_RETRY;
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

static void the_source_stops_when_the_pipeline_is_full_and_resumes(void **state)
{
    struct harness *harness = *state;

    door_is_open = false;
    harness_offer(harness, 0, 3000);
    harness->handler.handle_batch = wait_for_door;
    harness_start(harness, "producer: { SOURCE }\n"
                           "processors: { handler: linked, concurrency: 2, "
                           "ordering: none, max_demand: 100, "
                           "min_demand: 50 }\n" TO_HANDLER FAILURE);
    harness_wait(harness, has_stopped);
    assert_true(producer_script_counts(harness->source).offered < 1000);
    door_is_open = true;

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 3000);
}

static void the_source_stops_when_the_memory_is_used_up_and_resumes(
    void **state)
{
    struct harness *harness = *state;

    door_is_open = false;
    harness_offer(harness, 0, 12000);
    harness->handler.handle_batch = wait_for_door;
    harness_start(harness, "producer: { SOURCE }\n"
                           "processors: { handler: linked, concurrency: 2, "
                           "ordering: none, max_demand: 100000 }\n"
                           "memory: 16MiB\n" TO_HANDLER FAILURE);
    harness_wait(harness, has_stopped);
    assert_true(producer_script_counts(harness->source).offered < 12000);
    door_is_open = true;

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 12000);
}

static bool has_retried(struct harness *harness)
{
    struct pipeline_stats stats;

    pipeline_stats(harness->pipeline, &stats);
    return stats.sink_retries >= 3;
}

static void a_drain_meets_a_destination_that_comes_back(void **state)
{
    struct harness *harness = *state;

    door_is_open = false;
    harness_offer(harness, 0, 10);
    producer_script_set_endless(harness->source);
    harness->handler.handle_batch = wait_for_door;
    harness_start(harness, HEAD TO_HANDLER FAILURE);
    harness_wait(harness, has_retried);
    harness_drain(harness);
    door_is_open = true;

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 10);
}

/* ---- single messages ---- */

static void a_message_that_the_sink_retries_is_delivered_again_alone(
    void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 30);
    harness->handler.handle_message = count_calls;
    sink_script_message(harness->sink, "0:7", WEIR_RETRY, 2, "busy");

    assert_int_equal(harness_run(harness, HEAD TO_SINK FAILURE), 0);

    assert_int_equal(collection_count(delivered(harness)), 30);
    assert_int_equal(times_delivered(delivered(harness), 0, 7), 1);
    assert_int_equal(harness->stats.retries, 2);
    assert_int_equal(harness->stats.sink_retries, 0);
    assert_int_equal(harness->stats.done, 30);
    assert_int_equal(shared.handled, 30);
}

static void retries_in_the_sink_are_used_up(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 30);
    sink_script_message(harness->sink, "0:7", WEIR_RETRY, SINK_SCRIPT_ALWAYS,
                        "busy");

    assert_int_equal(harness_run(harness, HEAD TO_SINK FAILURE), 0);

    assert_int_equal(collection_count(delivered(harness)), 29);
    assert_int_equal(harness->stats.retries, 2); /* three deliveries */
    assert_int_equal(harness->stats.rejected_retries, 1);
    assert_int_equal(harness->stats.done, 29);
}

static void what_the_sink_rejects_fails_alone(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 30);
    sink_script_message(harness->sink, "0:7", WEIR_REJECT, 1, "no");
    sink_script_message(harness->sink, "0:8", WEIR_REJECT, 1, "no");

    assert_int_equal(harness_run(harness, HEAD TO_SINK FAILURE), 0);

    assert_int_equal(harness->stats.done, 28);
    assert_int_equal(harness->stats.rejected_sink, 2);
}

static enum weir_status set_some(struct weir_batch *batch, void *state)
{
    (void)state;
    shared.batches++;
    for (size_t i = 0; i < weir_batch_count(batch); i++) {
        const struct place place = place_of(weir_batch_message(batch, i));

        if (place.number == 2)
            weir_batch_set_outcome(batch, i, 1, WEIR_REJECT, "two");
        if (place.number == 5 && shared.batches == 1)
            weir_batch_set_outcome(batch, i, 1, WEIR_RETRY, "five");
    }
    return WEIR_OK;
}

static void a_message_without_an_outcome_follows_its_batch(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 10);
    harness->handler.handle_batch = set_some;

    assert_int_equal(harness_run(harness, HEAD TO_HANDLER FAILURE), 0);

    assert_int_equal(harness->stats.done, 9);
    assert_int_equal(harness->stats.rejected_sink, 1);
    assert_int_equal(harness->stats.retries, 1);
}

static enum weir_status reject_batch(struct weir_batch *batch, void *state)
{
    (void)state;
    for (size_t i = 0; i < weir_batch_count(batch); i++) {
        if (place_of(weir_batch_message(batch, i)).number < 3)
            weir_batch_set_outcome(batch, i, 1, WEIR_OK, NULL);
    }
    return WEIR_REJECT;
}

static void a_rejected_batch_rejects_what_has_no_outcome(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 10);
    harness->handler.handle_batch = reject_batch;

    assert_int_equal(harness_run(harness, HEAD TO_HANDLER FAILURE), 0);

    assert_int_equal(harness->stats.done, 3);
    assert_int_equal(harness->stats.rejected_sink, 7);
}

static enum weir_status nonsense(struct weir_batch *batch, void *state)
{
    (void)state;
    (void)batch;
    return (enum weir_status)77;
}

static void a_batch_handler_that_returns_nonsense_fails_its_messages(
    void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 10);
    harness->handler.handle_batch = nonsense;

    assert_int_equal(harness_run(harness, HEAD TO_HANDLER FAILURE), 0);

    assert_int_equal(harness->stats.rejected, 10);
    assert_int_equal(harness->stats.done, 0);
}

/* ---- giving up ---- */

static void gives_up(struct harness *harness, const char *topology)
{
    int64_t began;

    harness_offer(harness, 0, 2000);
    producer_script_set_endless(harness->source);
    began = clock_now_us();
    assert_int_equal(harness_run(harness, topology), PIPELINE_EXIT_GAVE_UP);
    assert_true(clock_now_us() - began < 5 * CLOCK_SECOND_US); /* not 25 s */
    assert_int_equal(harness->stats.done, 0);
    assert_int_equal(harness->stats.abandoned, harness->stats.received);
}

static void a_sink_that_gives_up_ends_the_run(void **state)
{
    struct harness *harness = *state;

    sink_script_write(harness->sink, WEIR_FATAL, SINK_SCRIPT_ALWAYS);
    gives_up(harness, HEAD TO_SINK FAILURE);
}

static void a_sink_that_cannot_open_for_good_ends_the_run(void **state)
{
    struct harness *harness = *state;

    sink_script_open(harness->sink, WEIR_FATAL, SINK_SCRIPT_ALWAYS);
    gives_up(harness, HEAD TO_SINK FAILURE);
}

static enum weir_status fatal(struct weir_batch *batch, void *state)
{
    (void)state;
    (void)batch;
    return WEIR_FATAL;
}

static void a_batch_handler_that_gives_up_ends_the_run_at_once(void **state)
{
    struct harness *harness = *state;

    harness->handler.handle_batch = fatal;
    gives_up(harness, HEAD TO_HANDLER FAILURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_destination_that_is_down_is_held_for),
        TEST(a_destination_that_does_not_open_is_held_for),
        TEST(a_full_destination_is_not_asked_all_the_time),
        TEST(an_idle_destination_that_is_lost_is_opened_again),
        TEST(a_client_that_tries_by_itself_is_down_for_as_long),
        TEST(a_handler_whose_destination_is_down_is_called_again),
        TEST(what_a_batch_handler_changed_is_gone_when_it_is_called_again),
        TEST(the_source_stops_when_the_pipeline_is_full_and_resumes),
        TEST(the_source_stops_when_the_memory_is_used_up_and_resumes),
        TEST(a_drain_meets_a_destination_that_comes_back),
        TEST(a_message_that_the_sink_retries_is_delivered_again_alone),
        TEST(retries_in_the_sink_are_used_up),
        TEST(what_the_sink_rejects_fails_alone),
        TEST(a_message_without_an_outcome_follows_its_batch),
        TEST(a_rejected_batch_rejects_what_has_no_outcome),
        TEST(a_batch_handler_that_returns_nonsense_fails_its_messages),
        TEST(a_sink_that_gives_up_ends_the_run),
        TEST(a_sink_that_cannot_open_for_good_ends_the_run),
        TEST(a_batch_handler_that_gives_up_ends_the_run_at_once),
    };
    return cmocka_run_group_tests_name("sink", tests, NULL, NULL);
}
