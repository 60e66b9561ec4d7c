/*
 * telemetry_test.c - whoever listens is told of each piece of work, once.
 */
#include "harness.h"

#include <stdatomic.h>
#include <string.h>

#include <weir/telemetry.h>

#define TOPOLOGY                                                               \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, concurrency: 2 }\n"                        \
    "batchers:\n"                                                              \
    "  default: { batch_size: 10, batch_timeout: 5ms, sink: { SINK } }\n"      \
    "failure: { then: drop }\n"

enum { COUNT = 40, PHASES = 3 };

/* By kind and phase: how many, and of how many messages. */
static struct {
    _Atomic unsigned calls[WEIR_TELEMETRY_COUNT][PHASES];
    _Atomic unsigned messages[WEIR_TELEMETRY_COUNT][PHASES];
    _Atomic unsigned wrong;
} told;

static int setup(void **state)
{
    memset(&told, 0, sizeof told);
    return harness_setup(state);
}

static int teardown(void **state)
{
    return harness_teardown(state);
}

static bool is_right(const struct weir_telemetry_event *event)
{
    const bool has_batcher = event->kind == WEIR_TELEMETRY_BATCHER ||
                             event->kind == WEIR_TELEMETRY_BATCH;
    const bool is_start = event->phase == WEIR_TELEMETRY_START;

    if (strcmp(event->pipeline, "test") != 0 || event->now_us <= 0 ||
        (is_start ? event->duration_us != 0 : event->duration_us < 0) ||
        event->duration_us > event->now_us)
        return false;
    if (has_batcher &&
        (!event->batcher || strcmp(event->batcher, "default") != 0))
        return false;
    if (event->kind == WEIR_TELEMETRY_MESSAGE &&
        strcmp(weir_message_topic(event->message), "t") != 0)
        return false;
    return event->phase != WEIR_TELEMETRY_EXCEPTION || event->reason;
}

static void listen(void *opaque, const struct weir_telemetry_event *event)
{
    assert_ptr_equal(opaque, &told);
    atomic_fetch_add(&told.calls[event->kind][event->phase], 1);
    atomic_fetch_add(&told.messages[event->kind][event->phase], event->count);
    if (!is_right(event))
        atomic_fetch_add(&told.wrong, 1);
}

static unsigned calls(enum weir_telemetry_kind kind,
                      enum weir_telemetry_phase phase)
{
    return told.calls[kind][phase];
}

static unsigned messages(enum weir_telemetry_kind kind,
                         enum weir_telemetry_phase phase)
{
    return told.messages[kind][phase];
}

/* Every fourth is bad. */
static enum weir_status handle(struct weir_message *msg, void *state)
{
    (void)state;
    return weir_message_offset(msg) % 4 == 0
               ? weir_message_reject(msg, "a fourth one")
               : WEIR_OK;
}

static void run(struct harness *harness, unsigned kinds)
{
    harness->until_end = true;
    harness->handler.handle_message = handle;
    harness_offer(harness, 0, COUNT);
    harness_create(harness, TOPOLOGY);
    pipeline_set_telemetry(harness->pipeline, kinds, listen, &told);
    harness_begin(harness);
    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(told.wrong, 0);
}

static void every_start_has_its_end(void **state)
{
    run(*state, WEIR_TELEMETRY_ALL);
    for (unsigned i = 0; i < WEIR_TELEMETRY_COUNT; i++) {
        if (calls(i, WEIR_TELEMETRY_START) == 0 ||
            calls(i, WEIR_TELEMETRY_START) !=
                calls(i, WEIR_TELEMETRY_STOP) +
                    calls(i, WEIR_TELEMETRY_EXCEPTION))
            fail_msg("kind %u: %u starts, %u stops, %u exceptions", i,
                     calls(i, WEIR_TELEMETRY_START),
                     calls(i, WEIR_TELEMETRY_STOP),
                     calls(i, WEIR_TELEMETRY_EXCEPTION));
    }
}

static void each_message_is_in_the_work_that_it_went_through(void **state)
{
    const unsigned bad = COUNT / 4, good = COUNT - bad;

    run(*state, WEIR_TELEMETRY_ALL);
    assert_int_equal(calls(WEIR_TELEMETRY_TOPOLOGY, WEIR_TELEMETRY_STOP), 1);
    assert_int_equal(calls(WEIR_TELEMETRY_PRODUCER, WEIR_TELEMETRY_STOP), 1);
    assert_int_equal(messages(WEIR_TELEMETRY_PROCESSOR, WEIR_TELEMETRY_STOP),
                     COUNT);
    assert_int_equal(calls(WEIR_TELEMETRY_MESSAGE, WEIR_TELEMETRY_STOP), good);
    assert_int_equal(calls(WEIR_TELEMETRY_MESSAGE, WEIR_TELEMETRY_EXCEPTION),
                     bad);
    assert_int_equal(messages(WEIR_TELEMETRY_FAILED, WEIR_TELEMETRY_STOP), bad);
    assert_int_equal(messages(WEIR_TELEMETRY_BATCHER, WEIR_TELEMETRY_STOP),
                     good);
    assert_int_equal(messages(WEIR_TELEMETRY_BATCH, WEIR_TELEMETRY_STOP), good);
}

static void a_destination_that_is_down_is_an_exception(void **state)
{
    struct harness *harness = *state;

    sink_script_write(harness->sink, WEIR_RETRY, 1);
    run(harness, WEIR_TELEMETRY_ALL);
    assert_int_equal(calls(WEIR_TELEMETRY_BATCH, WEIR_TELEMETRY_EXCEPTION), 1);
    assert_int_equal(messages(WEIR_TELEMETRY_BATCH, WEIR_TELEMETRY_STOP),
                     COUNT - COUNT / 4);
}

static struct weir_producer_ops real;
static unsigned opens;

static enum weir_status open_late(void *self,
                                  const struct weir_settings *settings,
                                  struct weir_error *err)
{
    return opens++ == 0 ? weir_fail(err, WEIR_RETRY, "not yet")
                        : real.open(self, settings, err);
}

static void a_source_that_can_not_be_opened_is_an_exception(void **state)
{
    struct harness *harness = *state;

    opens = 0;
    real = harness->source_ops;
    harness->source_ops.open = open_late;
    run(harness, WEIR_TELEMETRY_BIT(WEIR_TELEMETRY_PRODUCER));
    assert_int_equal(calls(WEIR_TELEMETRY_PRODUCER, WEIR_TELEMETRY_EXCEPTION),
                     1);
    assert_int_equal(calls(WEIR_TELEMETRY_PRODUCER, WEIR_TELEMETRY_START), 1);
    assert_int_equal(calls(WEIR_TELEMETRY_PRODUCER, WEIR_TELEMETRY_STOP), 1);
}

static void only_what_was_asked_for_is_told(void **state)
{
    run(*state, WEIR_TELEMETRY_BIT(WEIR_TELEMETRY_BATCH));
    for (unsigned i = 0; i < WEIR_TELEMETRY_COUNT; i++)
        assert_int_equal(calls(i, WEIR_TELEMETRY_START) > 0,
                         i == WEIR_TELEMETRY_BATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_start_has_its_end),
        TEST(each_message_is_in_the_work_that_it_went_through),
        TEST(a_destination_that_is_down_is_an_exception),
        TEST(a_source_that_can_not_be_opened_is_an_exception),
        TEST(only_what_was_asked_for_is_told),
    };
    return cmocka_run_group_tests_name("telemetry", tests, NULL, NULL);
}
