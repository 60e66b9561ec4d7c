/*
 * drain_test.c - how a run ends: in order, in time, and with every message
 * settled or left.
 */
#include "harness.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#define teardown harness_teardown

/* What the handlers below share; zeroed before each test. */
static struct {
    struct gate gate;
    _Atomic unsigned handled, inits, terminates;
} shared;

static int setup(void **state)
{
    shared.gate = (struct gate)GATE_CLOSED;
    shared.handled = shared.inits = shared.terminates = 0;
    return harness_setup(state);
}

#define PLAIN                                                                  \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2, ordering: none }\n"        \
    "batchers: { default: { batch_size: 10, batch_timeout: 10m, "              \
    "sink: { SINK } } }\n"                                                     \
    "failure: { then: drop, retry: { attempts: 3, "                            \
    "backoff: { min: 10m, max: 10m } } }\n"

/* What ends at once ends far from the deadline, however slow the machine is;
 * `brief` is for what meets it. */
enum { AT_ONCE_MS = 10 * 1000 };

static const char *const plain = PLAIN "shutdown: { timeout: 20s }\n";
static const char *const brief = PLAIN "shutdown: { timeout: 1s }\n";

static void offer(struct harness *harness, unsigned count)
{
    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, count);
    producer_script_set_endless(harness->source);
}

static uint64_t left(struct harness *harness)
{
    return producer_script_counts(harness->source).settled[WEIR_OUTCOME_LEAVE];
}

static bool is(const struct weir_message *msg, const char *text)
{
    const struct weir_bytes payload = weir_message_payload(msg);

    return payload.size == strlen(text) &&
           memcmp(payload.data, text, payload.size) == 0;
}

/* Milliseconds that the end of the run takes. */
static int64_t time_end(struct harness *harness)
{
    const int64_t began = clock_now_us();

    (void)harness_end(harness);
    return (clock_now_us() - began) / 1000;
}

static enum weir_status count_calls(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    shared.handled++;
    return WEIR_OK;
}

static bool has_delivered_some(struct harness *harness)
{
    return collection_count(sink_script_delivered(harness->sink)) >= 1000;
}

static void a_drain_under_load_balances_and_exits_0(void **state)
{
    struct harness *harness = *state;

    offer(harness, 5000);
    harness->handler.handle_message = count_calls;
    harness_start(harness, plain);
    harness_wait(harness, has_delivered_some);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), PIPELINE_EXIT_OK);

    assert_true(harness->stats.done >= 1000);
    assert_int_equal(harness->stats.done,
                     collection_count(sink_script_delivered(harness->sink)));
    assert_int_equal(harness->stats.received,
                     harness->stats.done + harness->stats.abandoned);
}

static void a_drain_before_run_takes_nothing_in(void **state)
{
    struct harness *harness = *state;
    int64_t took_ms;

    offer(harness, 10);
    harness_create(harness, plain);
    harness_drain(harness);
    harness_begin(harness);
    took_ms = time_end(harness);

    assert_int_equal(harness_finish(harness), PIPELINE_EXIT_OK);
    assert_int_equal(harness->stats.done, 0);
    assert_true(took_ms < AT_ONCE_MS);
}

static bool has_handled_seven(struct harness *harness)
{
    (void)harness;
    return shared.handled == 7;
}

static void a_partial_batch_is_flushed_by_a_drain(void **state)
{
    struct harness *harness = *state;

    offer(harness, 7);
    harness->handler.handle_message = count_calls;
    harness_start(harness, plain);
    harness_wait(harness, has_handled_seven);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), PIPELINE_EXIT_OK);

    assert_int_equal(harness->stats.done, 7);
    assert_int_equal(harness->stats.closed_drain, 1);
}

static enum weir_status wait_at_gate(struct weir_message *msg, void *state)
{
    (void)state;
    if (is(msg, "0:0"))
        gate_pass(&shared.gate);
    return WEIR_OK;
}

static bool is_destroyed(struct harness *harness)
{
    return harness_destroy(harness) == WEIR_OK;
}

static void a_stuck_handler_is_left_at_the_deadline(void **state)
{
    struct harness *harness = *state;
    int64_t took_ms;

    offer(harness, 200);
    harness->handler.handle_message = wait_at_gate;
    harness_start(harness, brief);
    gate_await(&shared.gate, 1);
    harness_drain(harness);
    took_ms = time_end(harness);

    assert_int_equal(harness->exit_code, PIPELINE_EXIT_LATE);
    assert_in_range(took_ms, 900, AT_ONCE_MS);
    assert_int_equal(harness->stats.in_flight + harness->stats.abandoned +
                         harness->stats.done,
                     harness->stats.received);
    assert_int_equal(producer_script_outcome(harness->source, 0), -1);
    assert_int_equal(harness_destroy(harness), WEIR_AGAIN);
    assert_int_equal(harness_destroy(harness), WEIR_AGAIN);

    gate_open(&shared.gate);
    harness_wait(harness, is_destroyed);
}

static enum weir_status batch_waits_at_gate(struct weir_batch *batch,
                                            void *state)
{
    (void)batch;
    (void)state;
    gate_pass(&shared.gate);
    return WEIR_OK;
}

static const char *const batched =
    "producer: { SOURCE }\n"
    "processors: { handler: linked, concurrency: 2, ordering: none }\n"
    "batchers: { default: { batch_size: 10, batch_timeout: 10m } }\n"
    "failure: { then: drop }\n"
    "shutdown: { timeout: 1s }\n";

static void a_stuck_sink_is_left_at_the_deadline(void **state)
{
    struct harness *harness = *state;

    offer(harness, 200);
    harness->handler.handle_batch = batch_waits_at_gate;
    harness_start(harness, batched);
    gate_await(&shared.gate, 1);
    harness_drain(harness);
    (void)harness_end(harness);

    assert_int_equal(harness->exit_code, PIPELINE_EXIT_LATE);
    assert_int_equal(harness->stats.done, 0);
    assert_int_equal(harness_destroy(harness), WEIR_AGAIN);

    gate_open(&shared.gate);
    harness_wait(harness, is_destroyed);
}

/* Returns between the moment when everything is let go and the end. */
static enum weir_status return_late(struct weir_message *msg, void *state)
{
    int64_t until;

    (void)state;
    shared.handled++;
    while (!weir_message_is_draining(msg))
        (void)poll(NULL, 0, 1);
    until = clock_after_us(INT64_C(880000));
    while (clock_now_us() < until)
        (void)poll(NULL, 0, 1);
    return WEIR_OK;
}

static bool has_handled_one(struct harness *harness)
{
    (void)harness;
    return shared.handled >= 1;
}

static void a_handler_that_returns_at_the_deadline_loses_nothing(void **state)
{
    struct harness *harness = *state;

    offer(harness, 1);
    harness->handler.handle_message = return_late;
    harness_start(harness, brief);
    harness_wait(harness, has_handled_one);
    harness_drain(harness);

    assert_int_equal(harness_end(harness), PIPELINE_EXIT_LATE);

    assert_int_equal(harness->stats.done, 0);
    assert_int_equal(
        producer_script_counts(harness->source).settled[WEIR_OUTCOME_DONE], 0);
    harness_wait(harness, is_destroyed);
}

static bool has_handled_two(struct harness *harness)
{
    (void)harness;
    return shared.handled >= 2;
}

static enum weir_status retry_all(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    shared.handled++;
    return WEIR_RETRY;
}

static void backoff_is_abandoned_at_once(void **state)
{
    struct harness *harness = *state;
    int64_t took_ms;

    offer(harness, 7);
    harness->handler.handle_message = retry_all;
    harness_start(harness, plain);
    harness_wait(harness, has_handled_seven);
    harness_drain(harness);
    took_ms = time_end(harness);

    assert_int_equal(harness_finish(harness), PIPELINE_EXIT_OK);
    assert_int_equal(left(harness), 7);
    assert_true(took_ms < AT_ONCE_MS);
}

static void backoff_in_the_sink_is_abandoned_at_once(void **state)
{
    struct harness *harness = *state;
    int64_t took_ms;

    offer(harness, 10);
    harness->handler.handle_message = count_calls;
    sink_script_message(harness->sink, "0:4", WEIR_RETRY, SINK_SCRIPT_ALWAYS,
                        "later");
    harness_start(harness, plain);
    assert_true(collection_wait(sink_script_delivered(harness->sink), 9,
                                clock_after_us(10 * CLOCK_SECOND_US)));
    harness_drain(harness);
    took_ms = time_end(harness);

    assert_int_equal(harness_finish(harness), PIPELINE_EXIT_OK);
    assert_int_equal(left(harness), 1);
    assert_int_equal(producer_script_outcome(harness->source, 4),
                     WEIR_OUTCOME_LEAVE);
    assert_true(took_ms < AT_ONCE_MS);
}

static const char *const lanes =
    "producer: { SOURCE }\n"
    "processors: { handler: linked, ordering: partition }\n"
    "batchers: { default: { batch_size: 1, batch_timeout: 10m } }\n"
    "failure: { then: drop, retry: { attempts: 9, "
    "backoff: { min: 10m, max: 10m } } }\n"
    "shutdown: { timeout: 20s }\n";

/* The first hundreds fill the pipeline up to the stuck sink, so that the worker
 * waits for room with a retry decided. */
static enum weir_status retry_one(struct weir_message *msg, void *state)
{
    (void)state;
    shared.handled++;
    return is(msg, "1:0") ? WEIR_RETRY : WEIR_OK;
}

static bool is_draining(struct harness *harness)
{
    return producer_script_counts(harness->source).drains > 0;
}

static void a_retry_decided_before_a_drain_is_not_waited_for_in_it(void **state)
{
    struct harness *harness = *state;
    int64_t took_ms;

    offer(harness, 1);
    producer_script_begin(harness->source, 1, "t", 1);
    producer_script_add_many(harness->source, 1, 2);
    harness->handler.handle_message = retry_one;
    harness->handler.handle_batch = batch_waits_at_gate;
    harness_start(harness, lanes);
    gate_await(&shared.gate, 1);
    harness_wait(harness, has_handled_two);
    harness_drain(harness);
    harness_wait(harness, is_draining);
    gate_open(&shared.gate);
    took_ms = time_end(harness);

    assert_int_equal(harness_finish(harness), PIPELINE_EXIT_OK);
    assert_int_equal(harness->stats.done, 1);
    assert_int_equal(left(harness), 2);
    assert_true(took_ms < AT_ONCE_MS);
}

static bool has_tried_to_write(struct harness *harness)
{
    return sink_script_writes(harness->sink) > 0;
}

static void a_drain_while_the_sink_is_down_exits_at_the_deadline(void **state)
{
    struct harness *harness = *state;

    offer(harness, 40);
    sink_script_write(harness->sink, WEIR_RETRY, SINK_SCRIPT_ALWAYS);
    harness_start(harness, brief);
    harness_wait(harness, has_tried_to_write);
    harness_drain(harness);

    assert_int_equal(harness_join(harness), PIPELINE_EXIT_LATE);

    assert_int_equal(harness->stats.done, 0);
    assert_int_equal(harness->stats.abandoned, harness->stats.received);
    assert_int_equal(left(harness), harness->stats.received);
}

static enum weir_status never_opens(void *self,
                                    const struct weir_settings *settings,
                                    struct weir_error *err)
{
    (void)self;
    (void)settings;
    shared.handled++;
    return weir_fail(err, WEIR_RETRY, "there is nobody");
}

static void nothing(void *self, int64_t deadline_us)
{
    (void)self;
    (void)deadline_us;
}

static void wakes_nobody(void *self)
{
    (void)self;
}

static void a_drain_while_the_producer_cannot_connect_ends_at_once(void **state)
{
    struct harness *harness = *state;
    int64_t took_ms;

    harness->source_ops.open = never_opens;
    harness->source_ops.close = nothing;
    harness->source_ops.wake = wakes_nobody;
    harness_start(harness, plain);
    harness_wait(harness, has_handled_two);
    harness_drain(harness);
    took_ms = time_end(harness);

    assert_int_equal(harness_finish(harness), PIPELINE_EXIT_OK);
    assert_true(took_ms < AT_ONCE_MS);
}

static enum weir_status init_fails(const struct weir_worker *worker,
                                   const struct weir_settings *options,
                                   void **ret_state, struct weir_error *err)
{
    (void)options;
    (void)ret_state;
    if (worker->index != 1)
        return WEIR_OK;
    return weir_fail(err, WEIR_REJECT, "no table");
}

static void an_init_that_fails_opens_nothing_and_exits_78(void **state)
{
    struct harness *harness = *state;
    int64_t took_ms;

    offer(harness, 10);
    harness->handler.init = init_fails;
    harness_start(harness, plain);
    took_ms = time_end(harness);

    assert_int_equal(harness_finish(harness), PIPELINE_EXIT_CONFIG);
    assert_int_equal(sink_script_opens(harness->sink), 0);
    assert_int_equal(producer_script_counts(harness->source).opens, 0);
    assert_true(took_ms < AT_ONCE_MS);
}

static enum weir_status count_init(const struct weir_worker *worker,
                                   const struct weir_settings *options,
                                   void **ret_state, struct weir_error *err)
{
    static int made;

    (void)worker;
    (void)options;
    (void)err;
    shared.inits++;
    *ret_state = &made;
    return WEIR_OK;
}

static void count_terminate(void *state)
{
    if (state)
        shared.terminates++;
}

static void every_state_is_terminated_once(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 10);
    gate_open(&shared.gate);
    harness->handler.init = count_init;
    harness->handler.terminate = count_terminate;
    harness->handler.handle_batch = batch_waits_at_gate;

    assert_int_equal(harness_run(harness, batched), PIPELINE_EXIT_OK);

    assert_int_equal(shared.inits, 3); /* two processors, a sink worker */
    assert_int_equal(shared.terminates, 3);
}

/* ---- what waits when a drain begins ---- */

static const char *const one_worker =
    "producer: { SOURCE }\n"
    "processors: { handler: linked, concurrency: 1, "
    "ordering: none, max_demand: 16, "
    "min_demand: 15 }\n"
    "failure: { then: drop }\n"
    "shutdown: { timeout: 4s }\n";

static enum weir_status gate_first(struct weir_message *msg, void *state)
{
    (void)state;
    if (is(msg, "0:0"))
        gate_pass(&shared.gate);
    shared.handled++;
    return WEIR_OK;
}

static bool has_offered_six(struct harness *harness)
{
    return producer_script_counts(harness->source).offered == 6;
}

static void drain_with_backlog(struct harness *harness,
                               enum weir_backlog backlog)
{
    harness->source_ops.backlog = backlog;
    offer(harness, 6);
    harness->handler.handle_message = gate_first;
    harness_start(harness, one_worker);
    gate_await(&shared.gate, 1);
    harness_wait(harness, has_offered_six);
    harness_drain(harness);
    harness_wait(harness, is_draining);
}

static void a_backlog_to_abandon_is_left_at_once(void **state)
{
    struct harness *harness = *state;

    drain_with_backlog(harness, WEIR_BACKLOG_ABANDON);
    assert_true(producer_script_wait(harness->source, 5,
                                     clock_after_us(10 * CLOCK_SECOND_US)));
    assert_int_equal(left(harness), 5);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), PIPELINE_EXIT_OK);
    assert_int_equal(harness->stats.done, 1);
    assert_int_equal(shared.handled, 1);
}

static void a_backlog_to_finish_is_finished(void **state)
{
    struct harness *harness = *state;

    drain_with_backlog(harness, WEIR_BACKLOG_FINISH);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), PIPELINE_EXIT_OK);
    assert_int_equal(harness->stats.done, 6);
}

static void half_of_the_time_is_for_the_backlog(void **state)
{
    struct harness *harness = *state;
    const int64_t began = clock_now_us();

    drain_with_backlog(harness, WEIR_BACKLOG_HALF);
    assert_true(producer_script_wait(harness->source, 5,
                                     clock_after_us(10 * CLOCK_SECOND_US)));
    assert_true(clock_now_us() - began >= INT64_C(1990000));
    assert_int_equal(left(harness), 5);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), PIPELINE_EXIT_OK);
    assert_int_equal(harness->stats.done, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_drain_under_load_balances_and_exits_0),
        TEST(a_drain_before_run_takes_nothing_in),
        TEST(a_partial_batch_is_flushed_by_a_drain),
        TEST(a_stuck_handler_is_left_at_the_deadline),
        TEST(a_stuck_sink_is_left_at_the_deadline),
        TEST(a_handler_that_returns_at_the_deadline_loses_nothing),
        TEST(backoff_is_abandoned_at_once),
        TEST(backoff_in_the_sink_is_abandoned_at_once),
        TEST(a_retry_decided_before_a_drain_is_not_waited_for_in_it),
        TEST(a_drain_while_the_sink_is_down_exits_at_the_deadline),
        TEST(a_drain_while_the_producer_cannot_connect_ends_at_once),
        TEST(an_init_that_fails_opens_nothing_and_exits_78),
        TEST(every_state_is_terminated_once),
        TEST(a_backlog_to_abandon_is_left_at_once),
        TEST(a_backlog_to_finish_is_finished),
        TEST(half_of_the_time_is_for_the_backlog),
    };
    return cmocka_run_group_tests_name("drain", tests, NULL, NULL);
}
