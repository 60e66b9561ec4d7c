/*
 * inspect_test.c - what a pipeline is doing is known while it does it.
 */
#include "harness.h"

#include <string.h>

#include "inspect.h"
#include "lanes.h"

static struct {
    struct gate gate;
    struct inspection *seen; /* the last one; NULL: none */
} shared;

static int setup(void **state)
{
    shared.gate = (struct gate)GATE_CLOSED;
    shared.seen = NULL;
    return harness_setup(state);
}

static int teardown(void **state)
{
    inspection_destroy(shared.seen);
    return harness_teardown(state);
}

static const struct inspection *look(struct harness *harness)
{
    inspection_destroy(shared.seen);
    shared.seen = NULL;
    assert_int_equal(pipeline_inspect(harness->pipeline, &shared.seen),
                     WEIR_OK);
    return shared.seen;
}

static const struct inspect_oldest *oldest_of(const struct inspection *seen,
                                              int32_t partition)
{
    for (size_t i = 0; i < seen->source_count; i++) {
        if (seen->sources[i].partition == partition)
            return &seen->sources[i].oldest;
    }
    return NULL;
}

#define ORDERED(workers)                                                       \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: " workers                     \
    ", ordering: partition }\n"
#define FAILURE "failure: { then: drop }\n"

static enum weir_status stop_at_three(struct weir_message *msg, void *state)
{
    (void)state;
    if (place_is(msg, 0, 3))
        gate_pass(&shared.gate);
    return WEIR_OK;
}

static bool only_the_stuck_source_is_open(struct harness *harness)
{
    const struct inspection *seen = look(harness);
    const struct inspect_oldest *stuck = oldest_of(seen, 0);
    const struct inspect_oldest *other = oldest_of(seen, 1);

    return stuck && other && stuck->exists && !other->exists &&
           strcmp(stuck->where, "handler") == 0 &&
           seen->stats.in_flight == 10 - (uint64_t)stuck->position &&
           seen->workers[0].for_us + seen->workers[1].for_us > 0;
}

/* The three in front of it were handled; they go on with their hand. */
static void a_message_that_never_finishes_is_named_with_its_worker(void **state)
{
    struct harness *harness = *state;
    const struct inspect_worker *worker;
    const struct inspect_oldest *oldest;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_begin(harness->source, 1, "t", 1);
    producer_script_add_many(harness->source, 0, 10);
    producer_script_add_many(harness->source, 1, 5);
    harness->handler.handle_message = stop_at_three;
    harness_start(harness, ORDERED("2") FAILURE);
    gate_await(&shared.gate, 1);
    harness_wait(harness, only_the_stuck_source_is_open);

    oldest = oldest_of(shared.seen, 0);
    assert_true(oldest->position <= 3);
    assert_string_equal(oldest->where, "handler");
    assert_int_equal(oldest->attempt, 1);
    worker = &shared.seen->workers[oldest->worker];
    assert_int_equal(worker->stage, INSPECT_PROCESSOR);
    assert_string_equal(worker->name, "t");
    assert_int_equal(worker->partition, 0);
    assert_int_equal(worker->position, 3);
    gate_open(&shared.gate);
    assert_int_equal(harness_join(harness), 0);
}

static enum weir_status again_for_long(struct weir_message *msg, void *state)
{
    (void)state;
    if (!place_is(msg, 0, 2))
        return WEIR_OK;
    (void)weir_message_reject(msg, "no such tariff: x9");
    return weir_message_retry_after(msg, 3600000);
}

static bool one_waits_for_its_time(struct harness *harness)
{
    const struct inspection *seen = look(harness);
    const struct inspect_oldest *oldest = oldest_of(seen, 0);

    return oldest && oldest->exists && strcmp(oldest->where, "retry") == 0 &&
           seen->in_backoff == 1;
}

static void a_message_that_waits_for_its_retry_says_why(void **state)
{
    struct harness *harness = *state;
    const struct inspect_oldest *oldest;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 5);
    harness->handler.handle_message = again_for_long;
    harness_start(harness, ORDERED("2") FAILURE);
    harness_wait(harness, one_waits_for_its_time);

    oldest = oldest_of(shared.seen, 0);
    assert_int_equal(oldest->position, 2);
    assert_int_equal(oldest->attempt, 1);
    assert_string_equal(oldest->why, "no such tariff: x9");
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
}

#define BATCHES                                                                \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: passthrough, concurrency: 1, ordering: none }\n"   \
    "batchers: { default: { batch_size: 2, batch_timeout: 1ms, "               \
    "sink: { SINK } } }\n"

static bool the_sink_is_down_and_has_it(struct harness *harness)
{
    const struct inspection *seen = look(harness);
    const struct inspect_oldest *oldest = oldest_of(seen, 0);
    const struct inspect_worker *sink = &seen->workers[seen->worker_count - 1];

    return oldest && oldest->exists && strcmp(oldest->where, "sink") == 0 &&
           sink->down_us > 0 && sink->trouble.wall_ms > 0 && sink->in_hand > 0;
}

static void a_destination_that_is_down_says_since_when_and_why(void **state)
{
    struct harness *harness = *state;
    const struct inspect_worker *sink;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 6);
    sink_script_write(harness->sink, WEIR_RETRY, SINK_SCRIPT_ALWAYS);
    harness_start(harness, BATCHES FAILURE "shutdown: { timeout: 200ms }\n");
    harness_wait(harness, the_sink_is_down_and_has_it);

    sink = &shared.seen->workers[shared.seen->worker_count - 1];
    assert_int_equal(sink->stage, INSPECT_SINK);
    assert_false(sink->is_connected);
    assert_string_not_equal(sink->trouble.text, "");
    assert_string_equal(oldest_of(shared.seen, 0)->batcher, "default");
    harness_drain(harness);
    assert_int_equal(harness_join(harness), PIPELINE_EXIT_LATE);
}

static bool delivered_later(struct harness *harness)
{
    const struct inspect_oldest *oldest = oldest_of(look(harness), 0);

    return oldest && oldest->exists && strcmp(oldest->where, "sink_retry") == 0;
}

#define PATIENT                                                                \
    "failure: { then: drop, retry: { attempts: 100, backoff: { min: 10s, "     \
    "max: 10s } } }\n"

static void one_message_again_is_named_with_its_reason(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 6);
    sink_script_message(harness->sink, "0:1", WEIR_RETRY, SINK_SCRIPT_ALWAYS,
                        "the shelf is full");
    harness_start(harness, BATCHES PATIENT);
    harness_wait(harness, delivered_later);

    assert_int_equal(oldest_of(shared.seen, 0)->position, 1);
    assert_string_equal(oldest_of(shared.seen, 0)->why, "the shelf is full");
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
}

static enum weir_status refuse_one(struct weir_message *msg, void *state)
{
    (void)state;
    return place_is(msg, 0, 1) ? weir_message_reject(msg, "secret-free reason")
                               : WEIR_OK;
}

static bool a_letter_waits_for_its_sink(struct harness *harness)
{
    const struct inspect_oldest *oldest = oldest_of(look(harness), 0);

    return oldest && oldest->exists && strcmp(oldest->where, "batcher") == 0 &&
           strcmp(oldest->batcher, "dead_letter") == 0;
}

/* The handler is through with it. */
static void a_dead_letter_is_in_its_batcher(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 5);
    harness->handler.handle_message = refuse_one;
    sink_script_open(harness->sink, WEIR_RETRY, 1000);
    harness_start(harness,
                  ORDERED("2") "batchers: { default: { sink: { COLLECT } }, "
                               "dead_letter: { sink: { SINK } } }\n"
                               "failure: { then: dead_letter }\n"
                               "shutdown: { timeout: 100ms }\n");
    harness_wait(harness, a_letter_waits_for_its_sink);
    assert_int_equal(oldest_of(shared.seen, 0)->position, 1);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), PIPELINE_EXIT_LATE);
}

static bool one_has_failed(struct harness *harness)
{
    return look(harness)->failure_count == 1;
}

static void what_failed_last_is_kept_with_its_reason(void **state)
{
    struct harness *harness = *state;
    const struct inspect_failure *failure;

    producer_script_begin(harness->source, 0, "t", 7);
    producer_script_add_many(harness->source, 0, 3);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = refuse_one;
    harness_start(harness, ORDERED("1") FAILURE);
    harness_wait(harness, one_has_failed);

    failure = &shared.seen->failures[0];
    assert_string_equal(failure->reason, "secret-free reason");
    assert_string_equal(failure->name, "t");
    assert_int_equal(failure->partition, 7);
    assert_int_equal(failure->position, 1);
    assert_int_equal(failure->attempt, 1);
    assert_string_equal(failure->code, "rejected");
    assert_string_equal(failure->stage, "processors");
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
}

static bool the_source_waits_for_room(struct harness *harness)
{
    const struct inspection *seen = look(harness);

    return seen->mailbox_count > 0 && seen->mailboxes[0].has_waiting_writers &&
           seen->producers[0].limit &&
           strcmp(seen->producers[0].limit, "full") == 0;
}

static enum weir_status wait_at_gate(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    gate_pass(&shared.gate);
    return WEIR_OK;
}

static void a_mailbox_says_who_waits_for_whom(void **state)
{
    struct harness *harness = *state;
    const struct inspect_mailbox *queue;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 100);
    harness->handler.handle_message = wait_at_gate;
    harness_start(harness, "producer: { SOURCE }\n"
                           "processors: { handler: linked, concurrency: 1, "
                           "ordering: none, max_demand: 10 }\n" FAILURE);
    gate_await(&shared.gate, 1);
    harness_wait(harness, the_source_waits_for_room);

    queue = &shared.seen->mailboxes[0];
    assert_int_equal(queue->from, INSPECT_PRODUCER);
    assert_int_equal(queue->to, INSPECT_PROCESSOR);
    assert_int_equal(queue->max_messages, 10);
    assert_false(queue->has_waiting_readers);
    gate_open(&shared.gate);
    assert_int_equal(harness_join(harness), 0);
}

static bool one_is_there(struct harness *harness)
{
    return look(harness)->source_count == 1;
}

static bool none_is_left(struct harness *harness)
{
    return look(harness)->source_count == 0;
}

static void a_source_is_gone_when_its_connection_is(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 3);
    producer_script_pause(harness->source);
    producer_script_end(harness->source, 0);
    producer_script_pause(harness->source);
    harness->handler.handle_message = stop_at_three;
    harness_start(harness, ORDERED("1") FAILURE);
    harness_wait(harness, one_is_there);
    producer_script_continue(harness->source);
    harness_wait(harness, none_is_left);
    producer_script_continue(harness->source);
    assert_int_equal(harness_join(harness), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_that_never_finishes_is_named_with_its_worker),
        TEST(a_message_that_waits_for_its_retry_says_why),
        TEST(a_destination_that_is_down_says_since_when_and_why),
        TEST(a_dead_letter_is_in_its_batcher),
        TEST(one_message_again_is_named_with_its_reason),
        TEST(what_failed_last_is_kept_with_its_reason),
        TEST(a_mailbox_says_who_waits_for_whom),
        TEST(a_source_is_gone_when_its_connection_is),
    };
    return cmocka_run_group_tests_name("inspect", tests, NULL, NULL);
}
