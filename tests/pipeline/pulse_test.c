/*
 * pulse_test.c - whether the runtime's own threads go on.
 *
 * The last sign of life is put back by hand, so that nobody has to wait.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "assembly.h"
#include "health.h"
#include "log.h"

static struct gate handler_gate, supervisor_gate;

static int setup(void **state)
{
    handler_gate = (struct gate)GATE_CLOSED;
    supervisor_gate = (struct gate)GATE_CLOSED;
    return harness_setup(state);
}

static int teardown(void **state)
{
    log_set_callback(NULL, NULL);
    return harness_teardown(state);
}

static enum weir_status wait_at_the_gate(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    gate_pass(&handler_gate);
    return WEIR_OK;
}

/* What is said of a stuck handler, the supervisor says. */
static void stop_the_supervisor(void *opaque, enum weir_log_level level,
                                const char *line)
{
    (void)opaque;
    (void)level;
    if (strstr(line, "a callback runs"))
        gate_pass(&supervisor_gate);
}

static void forget_the_last_pulse(struct harness *harness)
{
    atomic_store(&harness->pipeline->pulse_us,
                 clock_now_us() - 11 * CLOCK_SECOND_US);
}

static bool is_live(struct harness *harness)
{
    struct pipeline_health health;

    pipeline_health(harness->pipeline, &health);
    return health.is_live;
}

static void begin(struct harness *harness, const char *timeout)
{
    char text[512];

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 1);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = wait_at_the_gate;
    (void)snprintf(text, sizeof text,
                   "producer: { SOURCE }\n"
                   "processors: { handler: linked, concurrency: 1%s }\n"
                   "batchers: { default: { sink: { SINK } } }\n"
                   "failure: { then: drop }\n",
                   timeout);
    harness_start(harness, text);
    gate_await(&handler_gate, 1);
}

static void end(struct harness *harness)
{
    gate_open(&handler_gate);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
}

static void a_supervisor_that_stands_is_no_life(void **state)
{
    struct harness *harness = *state;

    log_set_callback(stop_the_supervisor, NULL);
    begin(harness, ", timeout: 10ms");
    gate_await(&supervisor_gate, 1);
    assert_true(is_live(harness));
    forget_the_last_pulse(harness);
    assert_false(is_live(harness));
    gate_open(&supervisor_gate);
    harness_wait(harness, is_live);
    end(harness);
}

/* A restart would not help it. */
static void a_handler_that_stands_ends_no_life(void **state)
{
    struct harness *harness = *state;

    begin(harness, "");
    forget_the_last_pulse(harness);
    harness_wait(harness, is_live);
    end(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_supervisor_that_stands_is_no_life),
        TEST(a_handler_that_stands_ends_no_life),
    };
    return cmocka_run_group_tests_name("pulse", tests, NULL, NULL);
}
