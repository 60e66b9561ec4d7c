/*
 * health_test.c - what a pipeline says of itself, and when it says that nothing
 * moves.
 */
#include "harness.h"

#include <stdatomic.h>
#include <string.h>

#include <weir/intake.h>

#include "health.h"

#define setup    harness_setup
#define teardown harness_teardown

#define TOPOLOGY                                                               \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 1 }\n"                        \
    "batchers: { default: { batch_timeout: 10ms, sink: { SINK } } }\n"         \
    "failure: { then: drop, retry: { backoff: { min: 1ms, max: 2ms } } }\n"    \
    "admin: { listen: \"127.0.0.1:0\", stalled_after: 1s }\n"

static struct pipeline_health health_of(struct harness *harness)
{
    struct pipeline_health health;

    pipeline_health(harness->pipeline, &health);
    return health;
}

/* NULL: it isn't said. */
static const char *reason(const struct pipeline_health *health,
                          const char *code)
{
    for (unsigned i = 0; i < health->count; i++) {
        if (strcmp(health->reasons[i].code, code) == 0)
            return health->reasons[i].text;
    }
    return NULL;
}

static bool is_ready(struct harness *harness)
{
    const struct pipeline_health health = health_of(harness);

    assert_int_equal(health.is_ready, health.count == 0);
    return health.is_ready;
}

static bool says(struct harness *harness, const char *code, const char *part)
{
    const struct pipeline_health health = health_of(harness);
    const char *text = reason(&health, code);

    assert_true(health.is_live);
    return text && strstr(text, part);
}

static void a_run_is_ready_when_all_is_connected_and_not_before(void **state)
{
    struct harness *harness = *state;

    harness_create(harness, TOPOLOGY);
    assert_true(says(harness, "starting", "handler"));
    assert_true(says(harness, "source", "not connected"));
    assert_true(says(harness, "sink", "sink 0 of batcher default"));
    producer_script_set_endless(harness->source);
    harness_begin(harness);
    harness_wait(harness, is_ready);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
}

static bool is_sink_down(struct harness *harness)
{
    return says(harness, "sink", "default");
}

static void a_destination_that_is_down_is_said_until_it_is_back(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 10);
    producer_script_set_endless(harness->source);
    sink_script_write(harness->sink, WEIR_RETRY, 4);
    harness_start(harness, TOPOLOGY);
    harness_wait(harness, is_sink_down);
    harness_wait(harness, is_ready);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
}

/* A source that is open and gets nothing, as a group without partitions. */
static _Atomic bool is_waiting;

static enum weir_status pull_or_wait(void *self, struct weir_intake *intake,
                                     unsigned demand, int64_t deadline_us,
                                     struct weir_error *err)
{
    weir_intake_set_impediment(intake,
                               is_waiting ? "waits for partitions" : NULL);
    return scripted_producer.pull(self, intake, demand, deadline_us, err);
}

static bool is_impeded(struct harness *harness)
{
    return says(harness, "source", "waits for partitions");
}

static void what_keeps_an_open_source_from_reading_is_said(void **state)
{
    struct harness *harness = *state;

    is_waiting = true;
    harness->source_ops.pull = pull_or_wait;
    producer_script_set_endless(harness->source);
    harness_start(harness, TOPOLOGY);
    harness_wait(harness, is_impeded);
    is_waiting = false;
    harness_wait(harness, is_ready);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
}

static struct gate gate;

static enum weir_status wait_at_the_gate(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    gate_pass(&gate);
    return WEIR_OK;
}

static bool is_stalled(struct harness *harness)
{
    return says(harness, "stalled", "nothing moved");
}

static bool is_done(struct harness *harness)
{
    struct pipeline_stats stats;

    pipeline_stats(harness->pipeline, &stats);
    return stats.done == 1;
}

static void work_that_does_not_move_is_said_and_does_not_end_its_life(
    void **state)
{
    struct harness *harness = *state;

    gate = (struct gate)GATE_CLOSED;
    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 1);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = wait_at_the_gate;
    harness_start(harness, TOPOLOGY);
    harness_wait(harness, is_stalled);
    gate_open(&gate);
    harness_wait(harness, is_done);
    harness_wait(harness, is_ready); /* without work nothing has to move */
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
}

static bool is_paused(struct harness *harness)
{
    return says(harness, "paused", "asked to pause");
}

static bool is_draining(struct harness *harness)
{
    return says(harness, "draining", "drains");
}

static void a_pause_and_a_drain_are_said(void **state)
{
    struct harness *harness = *state;

    gate = (struct gate)GATE_CLOSED;
    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 1);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = wait_at_the_gate;
    harness_start(harness, TOPOLOGY);
    gate_await(&gate, 1);
    pipeline_pause(harness->pipeline);
    harness_wait(harness, is_paused);
    harness_drain(harness);
    harness_wait(harness, is_draining);
    gate_open(&gate);
    assert_int_equal(harness_join(harness), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_is_ready_when_all_is_connected_and_not_before),
        TEST(a_destination_that_is_down_is_said_until_it_is_back),
        TEST(what_keeps_an_open_source_from_reading_is_said),
        TEST(work_that_does_not_move_is_said_and_does_not_end_its_life),
        TEST(a_pause_and_a_drain_are_said),
    };
    return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
