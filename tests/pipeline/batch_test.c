/*
 * batch_test.c - when batches close, and what is in them.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lanes.h"

#define teardown harness_teardown

enum { MAX_BATCHES = 1000 };

static struct {
    struct gate gate;
    pthread_mutex_t lock;
    unsigned count; /* batches */
    size_t messages[MAX_BATCHES], bytes[MAX_BATCHES];
    int64_t at_us[MAX_BATCHES];
    _Atomic unsigned handled;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int setup(void **state)
{
    seen.gate = (struct gate)GATE_CLOSED;
    seen.count = 0;
    seen.handled = 0;
    return harness_setup(state);
}

#define HEAD                                                                   \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 1, ordering: none }\n"
#define FAILURE "failure: { then: drop }\nshutdown: { timeout: 20s }\n"

static enum weir_status note(struct weir_batch *batch, void *state)
{
    size_t bytes = 0;

    (void)state;
    for (size_t i = 0; i < weir_batch_count(batch); i++)
        bytes += weir_message_payload(weir_batch_message(batch, i)).size;
    (void)pthread_mutex_lock(&seen.lock);
    assert_true(seen.count < MAX_BATCHES);
    seen.messages[seen.count] = weir_batch_count(batch);
    seen.at_us[seen.count] = clock_now_us();
    seen.bytes[seen.count++] = bytes;
    (void)pthread_mutex_unlock(&seen.lock);
    return WEIR_OK;
}

static enum weir_status count_calls(struct weir_message *msg, void *state)
{
    (void)state;
    (void)msg;
    seen.handled++;
    return WEIR_OK;
}

static bool has_handled_ten(struct harness *harness)
{
    (void)harness;
    return seen.handled >= 10;
}

/* ---- when a batch closes ---- */

static void a_batch_closes_at_its_size(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 100);
    harness->handler.handle_batch = note;

    assert_int_equal(harness_run(harness,
                                 HEAD "batchers: { default: { batch_size: 20, "
                                      "batch_timeout: 10m } }\n" FAILURE),
                     0);

    assert_int_equal(seen.count, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(seen.messages[i], 20);
    assert_int_equal(harness->stats.closed_size, 5);
    assert_int_equal(harness->stats.batches, 5);
}

/* Payload n has n * 100 bytes, at most 2,000. */
static enum weir_status grow(struct weir_message *msg, void *state)
{
    static const char filling[2000];
    const unsigned number = place_of(msg).number;

    (void)state;
    return weir_message_set_payload(
        msg, (struct weir_bytes){filling, (size_t)number * 100});
}

static void a_batch_never_exceeds_its_bytes_unless_one_message_does(
    void **state)
{
    struct harness *harness = *state;
    unsigned large = 0;

    harness_offer(harness, 0, 20);
    harness->handler.handle_message = grow;
    harness->handler.handle_batch = note;

    assert_int_equal(
        harness_run(harness, HEAD
                    "batchers: { default: { batch_size: 100, "
                    "batch_bytes: 1KiB, batch_timeout: 20ms } }\n" FAILURE),
        0);

    for (unsigned i = 0; i < seen.count; i++) {
        if (seen.bytes[i] > 1024) {
            assert_int_equal(seen.messages[i], 1);
            large++;
        }
    }
    assert_int_equal(large, 9); /* 1,100 to 1,900 */
    assert_true(harness->stats.closed_bytes >= 9);
    assert_int_equal(harness->stats.done, 20);
}

static bool has_noted_one(struct harness *harness)
{
    bool has_one;

    (void)harness;
    (void)pthread_mutex_lock(&seen.lock);
    has_one = seen.count >= 1;
    (void)pthread_mutex_unlock(&seen.lock);
    return has_one;
}

/* Messages come a millisecond apart, for two seconds and more: a timer that
 * began again with each would never end meanwhile. */
static void the_timeout_counts_from_the_first_message(void **state)
{
    enum { MESSAGES = 2000 };
    struct harness *harness = *state;
    int64_t began;

    harness_offer(harness, 0, 1);
    for (unsigned i = 0; i < MESSAGES; i++) {
        producer_script_pause(harness->source);
        producer_script_add_many(harness->source, 0, 1);
    }
    producer_script_set_endless(harness->source);
    harness->handler.handle_batch = note;
    began = clock_now_us();
    harness_start(harness, HEAD "batchers: { default: { batch_size: 5000, "
                                "batch_timeout: 150ms } }\n" FAILURE);
    for (unsigned i = 0; i < MESSAGES && !has_noted_one(harness); i++) {
        producer_script_continue(harness->source);
        (void)usleep(1000);
    }
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);
    assert_true(harness->stats.closed_timeout >= 1);
    assert_true(seen.at_us[0] - began >= INT64_C(150000));
    assert_true(seen.messages[0] < MESSAGES);
}

static enum weir_status flush_seven(struct weir_message *msg, void *state)
{
    (void)state;
    seen.handled++;
    if (place_of(msg).number == 7)
        weir_message_flush(msg);
    return WEIR_OK;
}

static void a_message_may_flush_its_batch(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 10);
    harness->handler.handle_message = flush_seven;
    harness->handler.handle_batch = note;
    harness_start(harness, HEAD "batchers: { default: { batch_size: 100, "
                                "batch_timeout: 10m } }\n" FAILURE);
    harness_wait(harness, has_noted_one);
    assert_int_equal(seen.messages[0], 8);
    harness_drain(harness);

    (void)harness_join(harness);
    assert_int_equal(harness->stats.closed_flush, 1);
}

static enum weir_status note_at_gate(struct weir_batch *batch, void *state)
{
    gate_pass(&seen.gate);
    return note(batch, state);
}

static enum weir_status flush_all(struct weir_message *msg, void *state)
{
    (void)state;
    seen.handled++;
    weir_message_flush(msg);
    return WEIR_OK;
}

static bool all_ten_are_done(struct harness *harness)
{
    struct pipeline_stats stats;

    pipeline_stats(harness->pipeline, &stats);
    return stats.done == 10;
}

static void a_flush_while_the_sinks_are_busy_is_not_forgotten(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 10);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = flush_all;
    harness->handler.handle_batch = note_at_gate;
    harness_start(harness, HEAD "batchers: { default: { batch_size: 100, "
                                "batch_timeout: 10m } }\n" FAILURE);
    gate_await(&seen.gate, 1);
    harness_wait(harness, has_handled_ten);
    gate_open(&seen.gate);
    harness_wait(harness, all_ten_are_done);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), 0);
}

static void batches_fill_up_while_the_sink_is_busy(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 1);
    producer_script_pause(harness->source);
    producer_script_add_many(harness->source, 0, 99);
    harness->handler.handle_message = count_calls;
    harness->handler.handle_batch = note_at_gate;
    harness_start(harness, HEAD "batchers: { default: { batch_size: 20, "
                                "batch_timeout: 1ms } }\n" FAILURE);
    gate_await(&seen.gate, 1);
    producer_script_continue(harness->source);
    harness_wait(harness, has_handled_ten);
    gate_open(&seen.gate);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 100);
    assert_true(seen.count <= 20); /* not a batch each millisecond */
}

/* Half of `memory` is for messages in flight: less than there are. */
static void a_batch_whose_sources_are_at_their_limit_closes_at_once(
    void **state)
{
    struct harness *harness = *state;

    harness->handler.handle_batch = note;

    assert_int_equal(
        harness_run(harness,
                    "producer: { generator: { count: 150000, size: 100B } }\n"
                    "processors: { handler: linked, concurrency: 1, "
                    "ordering: none, max_demand: 100000 }\n"
                    "memory: 16MiB\n"
                    "batchers: { default: { batch_size: 100000, "
                    "batch_bytes: 8MiB, batch_timeout: 1s } }\n" FAILURE),
        0);

    assert_true(harness->stats.closed_starved >= 1);
    assert_int_equal(harness->stats.done, 150000);
}

/* ---- keys ---- */

static const struct weir_bytes four_keys[] = {
    {"a\0b", 3}, {"a\0c", 3}, {"", 0}, {NULL, 0}};

static enum weir_status set_key(struct weir_message *msg, void *state)
{
    const struct weir_bytes key = four_keys[place_of(msg).number % 4];

    (void)state;
    if (key.data)
        weir_message_set_batch_key(msg, key);
    return WEIR_OK;
}

static enum weir_status check_key(struct weir_batch *batch, void *state)
{
    const struct weir_bytes key = weir_batch_key(batch);

    for (size_t i = 0; i < weir_batch_count(batch); i++) {
        const struct place place = place_of(weir_batch_message(batch, i));
        const struct weir_bytes want = four_keys[place.number % 4];

        assert_int_equal(key.size, want.size);
        assert_int_equal(!key.data, !want.data);
        if (want.size > 0)
            assert_memory_equal(key.data, want.data, want.size);
    }
    return note(batch, state);
}

static void a_batch_has_one_key_and_empty_is_not_absent(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 100);
    harness->handler.handle_message = set_key;
    harness->handler.handle_batch = check_key;

    assert_int_equal(harness_run(harness,
                                 HEAD "batchers: { default: { batch_size: 25, "
                                      "batch_timeout: 10m } }\n" FAILURE),
                     0);

    assert_int_equal(seen.count, 4);
}

static enum weir_status key_of_its_own(struct weir_message *msg, void *state)
{
    (void)state;
    weir_message_set_batch_key(msg, weir_message_payload(msg));
    return WEIR_OK;
}

static void too_many_keys_close_the_oldest_batch(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 10);
    harness->handler.handle_message = key_of_its_own;

    assert_int_equal(harness_run(harness, HEAD
                                 "batchers: { default: { batch_size: 25, "
                                 "batch_timeout: 500ms, max_batch_keys: 3, "
                                 "sink: { COLLECT } } }\n" FAILURE),
                     0);

    assert_int_equal(harness->stats.closed_keys, 7);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(first_delivered(harness->collection, 0, i), i);
}

/* ---- several batchers ---- */

static enum weir_status route_odd(struct weir_message *msg, void *state)
{
    (void)state;
    seen.handled++;
    if (place_of(msg).number % 2)
        weir_message_route(msg, "odd");
    return WEIR_OK;
}

static void messages_go_to_the_batcher_they_are_routed_to(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 100);
    harness->handler.handle_message = route_odd;

    assert_int_equal(
        harness_run(harness,
                    HEAD "batchers:\n"
                         "  default: { batch_timeout: 5ms, sink: { SINK } }\n"
                         "  odd: { batch_timeout: 5ms, "
                         "sink: { COLLECT } }\n" FAILURE),
        0);

    assert_int_equal(collection_count(harness->collection), 50);
    for (size_t i = 0; i < 50; i++)
        assert_string_equal(collection_get(harness->collection, i)->batcher,
                            "odd");
    assert_int_equal(collection_count(sink_script_delivered(harness->sink)),
                     50);
}

static bool the_odd_ones_are_delivered(struct harness *harness)
{
    return collection_count(harness->collection) == 50;
}

static void a_stuck_batcher_does_not_stop_another(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 100);
    harness->handler.handle_message = route_odd;
    harness->handler.handle_batch = note_at_gate;
    harness_start(harness,
                  HEAD "batchers:\n"
                       "  default: { batch_size: 1 }\n"
                       "  odd: { batch_size: 1, sink: { COLLECT } }\n" FAILURE);
    harness_wait(harness, the_odd_ones_are_delivered);
    gate_open(&seen.gate);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 100);
}

static void the_last_batch_of_a_finite_source_does_not_wait(void **state)
{
    struct harness *harness = *state;

    assert_int_equal(harness_run(harness,
                                 "producer: { generator: { count: 5 } }\n"
                                 "processors: { handler: passthrough }\n"
                                 "batchers: { default: { batch_size: 100, "
                                 "batch_timeout: 600s, sink: { COLLECT } } }\n"
                                 "failure: { then: drop }\n"),
                     0);

    assert_int_equal(collection_count(harness->collection), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_batch_closes_at_its_size),
        TEST(a_batch_never_exceeds_its_bytes_unless_one_message_does),
        TEST(the_timeout_counts_from_the_first_message),
        TEST(a_message_may_flush_its_batch),
        TEST(a_flush_while_the_sinks_are_busy_is_not_forgotten),
        TEST(batches_fill_up_while_the_sink_is_busy),
        TEST(a_batch_whose_sources_are_at_their_limit_closes_at_once),
        TEST(a_batch_has_one_key_and_empty_is_not_absent),
        TEST(too_many_keys_close_the_oldest_batch),
        TEST(messages_go_to_the_batcher_they_are_routed_to),
        TEST(a_stuck_batcher_does_not_stop_another),
        TEST(the_last_batch_of_a_finite_source_does_not_wait),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
