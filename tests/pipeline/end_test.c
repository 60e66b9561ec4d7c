/*
 * end_test.c - sources that reach their end, and what a run says at its own.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define teardown harness_teardown

static struct {
    struct gate gate;
    _Atomic bool is_closed;
    _Atomic unsigned pulls;
    _Atomic unsigned said; /* lines with `wanted` */
    _Atomic unsigned lines, failed, lines_left_out, failed_left_out;
    const char *wanted;
} shared;

static int setup(void **state)
{
    memset(&shared, 0, sizeof shared);
    shared.gate = (struct gate)GATE_CLOSED;
    return harness_setup(state);
}

#define TWO_BATCHERS                                                           \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2, ordering: none }\n"        \
    "batchers: { default: { batch_size: 1, sink: { SINK } }, "                 \
    "spare: { sink: { SINK } } }\n"                                            \
    "failure: { then: drop }\n"
#define ONE_BATCHER                                                            \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2, ordering: none }\n"        \
    "batchers: { default: { batch_size: 1, sink: { SINK } } }\n"               \
    "failure: { then: drop }\n"

/* ---- the end of a source ---- */

static enum weir_status settle_early(struct weir_message *msg, void *state)
{
    (void)state;
    weir_message_settle_early(msg);
    return WEIR_OK;
}

static void note_close(void *self, int64_t deadline_us)
{
    scripted_producer.close(self, deadline_us);
    shared.is_closed = true;
}

static bool is_closed(struct harness *harness)
{
    (void)harness;
    return shared.is_closed;
}

/* A member of a group that isn't polled any more would hold up the others. */
static void a_source_at_its_end_is_closed_while_others_work_on(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 1);
    harness->handler.handle_message = settle_early;
    harness->source_ops.close = note_close;
    sink_script_set_late(harness->sink, true);
    harness_start(harness, ONE_BATCHER);
    harness_wait(harness, is_closed); /* while the sink still has the message */
    sink_script_release(harness->sink);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 1);
    assert_int_equal(harness->stats.reconnects, 0);
}

static enum weir_status wait_at_gate(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    gate_pass(&shared.gate);
    return WEIR_OK;
}

/* As Kafka: in a drain nothing is left to commit, though messages are open. */
static enum weir_status nothing_to_confirm(void *self,
                                           struct weir_intake *intake,
                                           unsigned demand, int64_t deadline_us,
                                           struct weir_error *err)
{
    const enum weir_status status =
        scripted_producer.pull(self, intake, demand, deadline_us, err);

    if (shared.pulls == 0)
        return status;
    shared.pulls++;
    return WEIR_DONE;
}

static void count_pulls(void *self)
{
    scripted_producer.drain(self);
    shared.pulls = 1;
}

static bool was_polled(struct harness *harness)
{
    (void)harness;
    return shared.pulls > 10;
}

static void a_drained_source_without_anything_to_confirm_does_not_spin(
    void **state)
{
    struct harness *harness = *state;
    int64_t began_us;

    harness_offer(harness, 0, 2);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = wait_at_gate;
    harness->source_ops.pull = nothing_to_confirm;
    harness->source_ops.drain = count_pulls;
    harness_start(harness, ONE_BATCHER);
    gate_await(&shared.gate, 2);
    began_us = clock_now_us();
    harness_drain(harness);
    harness_wait(harness, was_polled);
    assert_true(clock_now_us() - began_us > CLOCK_SECOND_US / 10);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 2);
}

static void an_interrupted_run_to_the_end_finishes_what_it_has(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 100);
    producer_script_set_endless(harness->source);
    harness->source_ops.backlog = WEIR_BACKLOG_ABANDON;
    harness->handler.handle_message = wait_at_gate;
    harness->until_end = true;
    harness_start(harness, ONE_BATCHER);
    gate_await(&shared.gate, 2);
    harness_drain(harness);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), PIPELINE_EXIT_LATE);
    assert_int_equal(harness->stats.received, harness->stats.done);
    assert_int_equal(harness->stats.abandoned, 0);
}

static void look_for(void *opaque, enum weir_log_level level, const char *line)
{
    (void)opaque;
    (void)level;
    if (strstr(line, shared.wanted))
        shared.said++;
}

/* ---- a source that is not there ---- */

static enum weir_status refuse(void *self, const struct weir_settings *settings,
                               struct weir_error *err)
{
    (void)self;
    (void)settings;
    return weir_fail(err, WEIR_RETRY, "broker:1 refuses");
}

static enum weir_status hang(void *self, const struct weir_settings *settings,
                             struct weir_error *err)
{
    (void)self;
    (void)settings;
    gate_pass(&shared.gate);
    return weir_fail(err, WEIR_RETRY, "woken");
}

static void wake_up(void *self)
{
    (void)self;
    gate_open(&shared.gate);
}

static void end_absent(struct harness *harness, const char *wanted)
{
    shared.wanted = wanted;
    harness->until_end = true;
    harness->connect_timeout_us = CLOCK_SECOND_US; /* for a first try */
    log_set_callback(look_for, NULL);
    assert_int_equal(harness_run(harness, ONE_BATCHER), PIPELINE_EXIT_ABSENT);
    log_set_callback(NULL, NULL);
    assert_true(shared.said > 0);
}

static void a_source_that_is_not_there_ends_the_run_and_its_reason_is_said(
    void **state)
{
    struct harness *harness = *state;

    harness->source_ops.open = refuse;

    end_absent(harness,
               "no connection to the source in time: broker:1 refuses");
}

static void a_source_that_never_answers_ends_the_run(void **state)
{
    struct harness *harness = *state;

    harness->source_ops.open = hang;
    harness->source_ops.wake = wake_up;

    end_absent(harness, "in time: nothing answered yet");
}

/* ---- what is said ---- */

static unsigned times_said(struct harness *harness, const char *wanted)
{
    shared.wanted = wanted;
    log_set_callback(look_for, NULL);
    assert_int_equal(harness_run(harness, TWO_BATCHERS), 0);
    log_set_callback(NULL, NULL);
    return shared.said;
}

static void a_batcher_that_got_no_message_is_named_at_the_end(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 10);

    assert_int_equal(times_said(harness, "batcher spare got no message"), 1);
}

static enum weir_status use_both(struct weir_message *msg, void *state)
{
    (void)state;
    if (weir_message_offset(msg) % 2 == 0)
        weir_message_route(msg, "spare");
    return WEIR_OK;
}

static void a_batcher_that_got_messages_is_not_named(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 10);
    harness->handler.handle_message = use_both;

    assert_int_equal(times_said(harness, "got no message"), 0);
}

static void without_any_message_no_batcher_is_named(void **state)
{
    assert_int_equal(times_said(*state, "got no message"), 0);
}

static enum weir_status complain(struct weir_message *msg, void *state)
{
    (void)state;
    weir_log(msg, WEIR_LOG_WARNING, "complains");
    return weir_message_reject(msg, "bad");
}

/* "7 more like "..." were left out", or, behind a line, "(7 more like it were
 * left out)". */
static void count_lines(void *opaque, enum weir_log_level level,
                        const char *line)
{
    const bool is_failure = strstr(line, " failed: bad") != NULL;
    const bool is_count = strstr(line, " more like \"") != NULL;
    const char *behind = strchr(line, '(');
    const unsigned left_out = (unsigned)strtoul(is_count ? line
                                                : behind ? behind + 1
                                                         : "0",
                                                NULL, 10);

    (void)opaque;
    (void)level;
    if (!is_failure && !strstr(line, ": complains"))
        return;
    if (is_failure) {
        shared.failed += is_count ? 0 : 1;
        shared.failed_left_out += left_out;
    } else {
        shared.lines += is_count ? 0 : 1;
        shared.lines_left_out += left_out;
    }
}

static void what_the_log_left_out_is_said_at_the_end(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 300);
    harness->handler.handle_message = complain;
    log_set_callback(count_lines, NULL);
    assert_int_equal(harness_run(harness, ONE_BATCHER), 0);
    log_set_callback(NULL, NULL);

    assert_int_equal(harness->stats.rejected, 300);
    assert_true(shared.lines_left_out > 0 && shared.failed_left_out > 0);
    assert_int_equal(shared.lines + shared.lines_left_out, 300);
    assert_int_equal(shared.failed + shared.failed_left_out, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_source_at_its_end_is_closed_while_others_work_on),
        TEST(a_drained_source_without_anything_to_confirm_does_not_spin),
        TEST(an_interrupted_run_to_the_end_finishes_what_it_has),
        TEST(a_source_that_is_not_there_ends_the_run_and_its_reason_is_said),
        TEST(a_source_that_never_answers_ends_the_run),
        TEST(a_batcher_that_got_no_message_is_named_at_the_end),
        TEST(a_batcher_that_got_messages_is_not_named),
        TEST(without_any_message_no_batcher_is_named),
        TEST(what_the_log_left_out_is_said_at_the_end),
    };
    return cmocka_run_group_tests_name("end", tests, NULL, NULL);
}
