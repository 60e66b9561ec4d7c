/*
 * supervision_test.c - what fails for good is replaced, and how often.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "lanes.h"
#include "log.h"
#include "supervision.h"

static struct {
    _Atomic unsigned handled, opens, said;
} shared;

static void listen(void *opaque, enum weir_log_level level, const char *line)
{
    (void)opaque;
    (void)level;
    if (strstr(line, "ending: batcher default: scripted: ") &&
        strstr(line, "; more than 3 restarts in 600 s"))
        shared.said++;
}

static int setup(void **state)
{
    shared.handled = shared.opens = shared.said = 0;
    log_set_callback(listen, NULL);
    return harness_setup(state);
}

static int teardown(void **state)
{
    const int rc = harness_teardown(state);

    log_set_callback(NULL, NULL);
    return rc;
}

/* A single attempt: what is handed over is not tried again by it. */
#define FAILURE "failure: { then: drop, retry: { attempts: 1 } }\n"
#define UNORDERED                                                              \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2, ordering: none }\n"
#define TO_SINK                                                                \
    "batchers: { default: { batch_size: 10, batch_timeout: 10ms, "             \
    "sink: { SINK } } }\n"
#define NO_RESTART "supervision: { max_restarts: 0 }\n"
/* In any time that a slow machine takes for them. */
#define THREE_RESTARTS "supervision: { max_restarts: 3, max_seconds: 10m }\n"

static void offer(struct harness *harness, unsigned count)
{
    producer_script_add_many(harness->source, 0, count);
}

static void begin(struct harness *harness, unsigned count)
{
    producer_script_begin(harness->source, 0, "t", 0);
    offer(harness, count);
}

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

/* ---- replaced ---- */

static void a_source_that_fails_is_replaced_and_nothing_is_lost(void **state)
{
    struct harness *harness = *state;

    begin(harness, 100);
    producer_script_fail(harness->source);
    offer(harness, 100);
    producer_script_fail(harness->source);
    offer(harness, 100);

    assert_int_equal(harness_run(harness, UNORDERED TO_SINK FAILURE), 0);

    assert_int_equal(producer_script_counts(harness->source).opens, 3);
    assert_int_equal(harness->stats.restarts, 2);
    assert_int_equal(harness->stats.reconnects, 0);
    assert_int_equal(
        producer_script_counts(harness->source).settled[WEIR_OUTCOME_DONE],
        300);
}

static enum weir_status open_fails_twice(void *self,
                                         const struct weir_settings *settings,
                                         struct weir_error *err)
{
    return shared.opens++ < 2 ? weir_fail(err, WEIR_FATAL, "no client")
                              : scripted_producer.open(self, settings, err);
}

static void a_source_that_fails_to_open_is_replaced(void **state)
{
    struct harness *harness = *state;

    begin(harness, 10);
    harness->source_ops.open = open_fails_twice;

    assert_int_equal(harness_run(harness, UNORDERED TO_SINK FAILURE), 0);

    assert_int_equal(harness->stats.restarts, 2);
    assert_int_equal(harness->stats.done, 10);
}

static void a_sink_that_fails_hands_over_its_messages_untouched(void **state)
{
    struct harness *harness = *state;

    begin(harness, 300);
    harness->handler.handle_message = count_calls;
    sink_script_write(harness->sink, WEIR_FATAL, 3);

    assert_int_equal(harness_run(harness, UNORDERED TO_SINK FAILURE), 0);

    assert_int_equal(sink_script_opens(harness->sink), 4);
    assert_int_equal(harness->stats.restarts, 3);
    assert_int_equal(harness->stats.done, 300);
    assert_int_equal(collection_count(delivered(harness)), 300);
    assert_int_equal(shared.handled, 300); /* not made again */
}

static void a_sink_that_fails_to_open_is_replaced(void **state)
{
    struct harness *harness = *state;

    begin(harness, 10);
    sink_script_open(harness->sink, WEIR_FATAL, 2);

    assert_int_equal(harness_run(harness, UNORDERED TO_SINK FAILURE), 0);

    assert_int_equal(harness->stats.restarts, 2);
    assert_int_equal(harness->stats.done, 10);
}

static void a_sink_that_fails_with_batches_under_way_keeps_the_order(
    void **state)
{
    struct harness *harness = *state;

    begin(harness, 200);
    sink_script_set_late(harness->sink, false);
    sink_script_poll(harness->sink, WEIR_FATAL, 2);

    assert_int_equal(
        harness_run(harness,
                    "producer: { SOURCE }\n"
                    "processors: { handler: linked, ordering: partition }\n"
                    "batchers: { default: { batch_size: 7, batch_timeout: 5ms, "
                    "max_in_flight: 4, sink: { ORDERED_SINK } } }\n" FAILURE),
        0);

    assert_int_equal(harness->stats.restarts, 2);
    assert_in_order(delivered(harness), 1, 200);
}

/* ---- the budget ---- */

static enum weir_status route_odd(struct weir_message *msg, void *state)
{
    (void)state;
    if (place_of(msg).number % 2 == 1)
        weir_message_route(msg, "other");
    return WEIR_OK;
}

static void restart_budget_used_up(void **state)
{
    struct harness *harness = *state;

    begin(harness, 500);
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = route_odd;
    sink_script_write(harness->sink, WEIR_FATAL, SINK_SCRIPT_ALWAYS);

    assert_int_equal(
        harness_run(harness, UNORDERED
                    "batchers:\n"
                    "  default: { batch_size: 10, batch_timeout: 10ms, "
                    "sink: { SINK } }\n"
                    "  other: { batch_size: 10, batch_timeout: 10ms, "
                    "sink: { COLLECT } }\n" FAILURE THREE_RESTARTS),
        PIPELINE_EXIT_GAVE_UP);

    assert_int_equal(harness->stats.restarts, 3);
    assert_int_equal(shared.said, 1); /* which stage, and why */
    assert_int_equal(collection_count(delivered(harness)), 0);
    assert_int_equal(harness->stats.done,
                     collection_count(harness->collection)); /* it drained */
    assert_true(harness->stats.done > 0);
    assert_int_equal(harness->stats.abandoned,
                     harness->stats.received - harness->stats.done);
}

static void the_budget_is_the_whole_pipelines(void **state)
{
    struct harness *harness = *state;

    begin(harness, 10);
    producer_script_fail(harness->source);
    producer_script_fail(harness->source);
    producer_script_set_endless(harness->source);
    sink_script_open(harness->sink, WEIR_FATAL, 2);

    assert_int_equal(
        harness_run(harness, UNORDERED TO_SINK FAILURE THREE_RESTARTS),
        PIPELINE_EXIT_GAVE_UP);
    assert_int_equal(harness->stats.restarts, 3);
}

static void without_a_budget_a_failure_ends_the_run_at_once(void **state)
{
    struct harness *harness = *state;

    begin(harness, 10);
    producer_script_fail(harness->source);

    assert_int_equal(harness_run(harness, UNORDERED TO_SINK FAILURE NO_RESTART),
                     PIPELINE_EXIT_GAVE_UP);
    assert_int_equal(producer_script_counts(harness->source).opens, 1);
    assert_int_equal(harness->stats.restarts, 0);
}

static void expected_trouble_never_uses_the_budget(void **state)
{
    struct harness *harness = *state;

    begin(harness, 10);
    producer_script_disconnect(harness->source);
    offer(harness, 10);
    sink_script_open(harness->sink, WEIR_RETRY, 2);
    sink_script_write(harness->sink, WEIR_RETRY, 2);

    assert_int_equal(harness_run(harness, UNORDERED TO_SINK FAILURE NO_RESTART),
                     0);
    assert_int_equal(harness->stats.restarts, 0);
    assert_true(harness->stats.reconnects > 0);
}

static void a_source_that_cannot_be_asked_again_is_not_replaced(void **state)
{
    struct harness *harness = *state;

    begin(harness, 10);
    producer_script_fail(harness->source);
    harness->source_ops.backlog = WEIR_BACKLOG_FINISH;

    assert_int_equal(harness_run(harness, UNORDERED TO_SINK FAILURE),
                     PIPELINE_EXIT_GAVE_UP);
    assert_int_equal(producer_script_counts(harness->source).opens, 1);
    assert_int_equal(harness->stats.done, 10);
}

static void restarts_that_are_long_ago_do_not_count(void **state)
{
    struct supervision supervision;

    (void)state;
    supervision_init(&supervision, 3, 5000);
    assert_int_equal(supervision_restart(&supervision, 1000), 1);
    assert_int_equal(supervision_restart(&supervision, 3000), 2);
    assert_int_equal(supervision_restart(&supervision, 6000), 3);
    assert_int_equal(supervision_restart(&supervision, 6000), 0);
    assert_int_equal(supervision_restart(&supervision, 6001), 3);
    assert_int_equal(supervision_restart(&supervision, 8000), 0);
    assert_int_equal(supervision_restart(&supervision, 20000), 1);
    supervision_finish(&supervision);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_source_that_fails_is_replaced_and_nothing_is_lost),
        TEST(a_source_that_fails_to_open_is_replaced),
        TEST(a_sink_that_fails_hands_over_its_messages_untouched),
        TEST(a_sink_that_fails_to_open_is_replaced),
        TEST(a_sink_that_fails_with_batches_under_way_keeps_the_order),
        TEST(restart_budget_used_up),
        TEST(the_budget_is_the_whole_pipelines),
        TEST(without_a_budget_a_failure_ends_the_run_at_once),
        TEST(expected_trouble_never_uses_the_budget),
        TEST(a_source_that_cannot_be_asked_again_is_not_replaced),
        cmocka_unit_test(restarts_that_are_long_ago_do_not_count),
    };
    return cmocka_run_group_tests_name("supervision", tests, NULL, NULL);
}
