/*
 * sample_test.c - what becomes of a message is shown, stage by stage.
 *
 * One message in each test: it is with one thread at a time, so none of what
 * happens to it can meet another worker at the sample, and be left out.
 */
#include "harness.h"

#include <string.h>

#include "sample.h"

#define teardown harness_teardown

#define HEAD                                                                   \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 1 }\n"                        \
    "batchers: { default: { batch_timeout: 1ms, sink: { SINK } }"
#define BODY HEAD " }\n"
#define WITH_LETTERS                                                           \
    HEAD ", dead_letter: { batch_timeout: 1ms, sink: { COLLECT } } }\n"
#define RETRY "retry: { attempts: 5, backoff: { min: 1ms, max: 1ms } } }\n"

static struct {
    struct sampled list[SAMPLE_MAX];
    size_t count;
} seen;

static _Atomic unsigned handled;

static int setup(void **state)
{
    seen.count = 0;
    handled = 0;
    return harness_setup(state);
}

/* Offers one message, and fills in `seen`; returns the exit code. */
static int run(struct harness *harness, const char *yaml)
{
    const struct sample_wish wish = {.outcomes = sample_all_outcomes(),
                                     .rate = SAMPLE_RATE_MAX,
                                     .has_payload = true};
    uint64_t id = 0, left_out = 0;

    harness_offer(harness, 7, 1);
    harness_create(harness, yaml);
    assert_int_equal(pipeline_sample_ask(harness->pipeline, 0, &wish, &id),
                     WEIR_OK);
    harness_begin(harness);
    (void)harness_end(harness);
    seen.count =
        pipeline_sample_take(harness->pipeline, id, seen.list, &left_out);
    assert_int_equal(left_out, 0);
    for (size_t i = 0; i < seen.count; i++) {
        assert_string_equal(seen.list[i].name, "t");
        assert_int_equal(seen.list[i].partition, 7);
        assert_int_equal(seen.list[i].position, 0);
        assert_int_equal(seen.list[i].size, 3);
        assert_memory_equal(seen.list[i].payload.data, "0:0", 3);
        assert_true(seen.list[i].latency_us >= 0);
    }
    return harness->exit_code;
}

static void assert_seen(size_t i, const char *outcome, const char *code,
                        const char *batcher, const char *reason)
{
    const struct sampled *sampled = &seen.list[i];

    assert_true(i < seen.count);
    assert_string_equal(sampled->outcome, outcome);
    assert_string_equal(sampled->code ? sampled->code : "", code);
    assert_string_equal(sampled->batcher ? sampled->batcher : "", batcher);
    assert_string_equal(sampled->reason, reason);
}

static enum weir_status again_once(struct weir_message *msg, void *state)
{
    (void)state;
    return weir_message_attempt(msg) == 1 ? WEIR_RETRY : WEIR_OK;
}

static enum weir_status reject(struct weir_message *msg, void *state)
{
    (void)state;
    return weir_message_reject(msg, "it has no total");
}

static enum weir_status reject_once(struct weir_message *msg, void *state)
{
    return handled++ == 0 ? reject(msg, state) : WEIR_OK;
}

static void each_attempt_is_shown_and_the_end(void **state)
{
    struct harness *harness = *state;

    harness->handler.handle_message = again_once;
    sink_script_message(harness->sink, "0:0", WEIR_RETRY, 1, "locked");
    assert_int_equal(run(harness, BODY "failure: { then: drop, " RETRY), 0);
    assert_int_equal(seen.count, 3);
    assert_seen(0, "retried", "", "", "");
    assert_int_equal(seen.list[0].attempts, 1);
    assert_int_equal(seen.list[0].deliveries, 0);
    assert_seen(1, "retried", "", "default", "locked");
    assert_int_equal(seen.list[1].attempts, 2);
    assert_int_equal(seen.list[1].deliveries, 1);
    assert_seen(2, "done", "", "default", "");
    assert_int_equal(seen.list[2].deliveries, 2);
    assert_true(seen.list[2].latency_us >= seen.list[0].latency_us);
    assert_int_equal(harness_finish(harness), 0);
}

static void what_the_handler_rejects_is_shown_with_its_reason(void **state)
{
    struct harness *harness = *state;

    harness->handler.handle_message = reject;
    assert_int_equal(run(harness, BODY "failure: { then: drop }\n"), 0);
    assert_int_equal(seen.count, 1);
    assert_seen(0, "rejected", "rejected", "", "it has no total");
    assert_int_equal(harness_finish(harness), 0);
}

static void what_the_sink_rejects_is_shown_with_its_batcher(void **state)
{
    struct harness *harness = *state;

    sink_script_message(harness->sink, "0:0", WEIR_REJECT, 1, "no such table");
    assert_int_equal(run(harness, BODY "failure: { then: drop }\n"), 0);
    assert_int_equal(seen.count, 1);
    assert_seen(0, "rejected", "sink", "default", "no such table");
    assert_int_equal(harness_finish(harness), 0);
}

static void a_dead_letter_is_shown_when_it_is_confirmed(void **state)
{
    struct harness *harness = *state;

    harness->handler.handle_message = reject;
    assert_int_equal(run(harness, WITH_LETTERS "failure: { then: dead_letter }"
                                               "\n"),
                     0);
    assert_int_equal(seen.count, 1);
    assert_seen(0, "dead_lettered", "rejected", "dead_letter",
                "it has no total");
    assert_int_equal(harness_finish(harness), 0);
}

static void what_goes_back_to_the_broker_is_shown_with_its_reason(void **state)
{
    struct harness *harness = *state;

    harness->handler.handle_message = reject_once;
    assert_int_equal(run(harness, BODY "failure: { then: requeue, " RETRY), 0);
    assert_int_equal(seen.count, 2);
    assert_seen(0, "requeued", "rejected", "", "it has no total");
    assert_seen(1, "done", "", "default", "");
    assert_int_equal(harness_finish(harness), 0);
}

static void what_ends_the_run_is_abandoned(void **state)
{
    struct harness *harness = *state;

    harness->handler.handle_message = reject;
    assert_int_equal(run(harness, BODY "failure: { then: stop }\n"),
                     PIPELINE_EXIT_STOPPED);
    assert_int_equal(seen.count, 1);
    assert_seen(0, "abandoned", "", "", "it has no total");
    assert_int_equal(harness_finish(harness), PIPELINE_EXIT_STOPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_attempt_is_shown_and_the_end),
        TEST(what_the_handler_rejects_is_shown_with_its_reason),
        TEST(what_the_sink_rejects_is_shown_with_its_batcher),
        TEST(a_dead_letter_is_shown_when_it_is_confirmed),
        TEST(what_goes_back_to_the_broker_is_shown_with_its_reason),
        TEST(what_ends_the_run_is_abandoned),
    };

    return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
