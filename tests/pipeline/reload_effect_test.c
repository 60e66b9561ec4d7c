/*
 * reload_effect_test.c - each value that a reload may change holds while
 * messages flow.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "health.h"
#include "log.h"
#include "reload.h"

enum { MAX_BATCHES = 1000 };

static struct {
    pthread_mutex_t lock;
    unsigned batches;
    size_t messages[MAX_BATCHES];
    _Atomic unsigned handled, inside, most_inside;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};
static struct gate gate;

static int setup(void **state)
{
    seen.batches = 0;
    seen.handled = 0;
    seen.inside = 0;
    seen.most_inside = 0;
    gate = (struct gate)GATE_CLOSED;
    return harness_setup(state);
}

static int teardown(void **state)
{
    log_set_level(WEIR_LOG_INFO);
    return harness_teardown(state);
}

#define HEAD(workers)                                                          \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked, ordering: none, concurrency: " workers     \
    " }\n"
#define FAILURE       "failure: { then: drop }\n"
#define BATCHES(what) HEAD("1") FAILURE "batchers: { default: { " what " } }\n"
#define RETRIES(what)                                                          \
    HEAD("1")                                                                  \
    "failure: { then: drop, retry: { " what " } }\n"                           \
    "batchers: { default: { sink: { SINK }, batch_timeout: 1ms } }\n"

static void reload(struct harness *harness, const char *yaml)
{
    struct weir_error err = {0};

    if (harness_reload(harness, yaml, &err) != WEIR_OK)
        fail_msg("refused: %s", err.text);
}

static enum weir_status note(struct weir_batch *batch, void *state)
{
    (void)state;
    (void)pthread_mutex_lock(&seen.lock);
    assert_true(seen.batches < MAX_BATCHES);
    seen.messages[seen.batches++] = weir_batch_count(batch);
    (void)pthread_mutex_unlock(&seen.lock);
    return WEIR_OK;
}

static enum weir_status count(struct weir_message *msg, void *state)
{
    (void)msg;
    (void)state;
    seen.handled++;
    return WEIR_OK;
}

/* `first` messages, and `second` more after producer_script_continue(). */
static void offer_in_two(struct harness *harness, unsigned first,
                         unsigned second)
{
    harness_offer(harness, 0, first);
    producer_script_pause(harness->source);
    producer_script_add_many(harness->source, 0, second);
    harness->handler.handle_message = count;
    harness->handler.handle_batch = note;
}

static void await_done(struct harness *harness, unsigned messages)
{
    assert_true(producer_script_wait(harness->source, messages,
                                     clock_after_us(10 * CLOCK_SECOND_US)));
}

static bool has_handled_three(struct harness *harness)
{
    (void)harness;
    return seen.handled >= 3;
}

/* ---- batches ---- */

static void the_size_of_batches(void **state)
{
    struct harness *harness = *state;

    offer_in_two(harness, 100, 70);
    harness_start(harness, BATCHES("batch_size: 20, batch_timeout: 10m"));
    await_done(harness, 100);
    reload(harness, BATCHES("batch_size: 7, batch_timeout: 10m"));
    producer_script_continue(harness->source);
    assert_int_equal(harness_join(harness), 0);

    assert_int_equal(seen.batches, 15);
    assert_int_equal(seen.messages[4], 20);
    for (unsigned i = 5; i < 15; i++)
        assert_int_equal(seen.messages[i], 7);
}

static void a_batch_that_is_open_closes_at_the_new_size(void **state)
{
    struct harness *harness = *state;

    offer_in_two(harness, 3, 2);
    harness_start(harness, BATCHES("batch_size: 20, batch_timeout: 10m"));
    harness_wait(harness, has_handled_three);
    reload(harness, BATCHES("batch_size: 2, batch_timeout: 10m"));
    /* Two or three: the third may come to the batcher behind the reload. */
    await_done(harness, 2);
    producer_script_continue(harness->source);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
    assert_in_range(seen.messages[0], 2, 3);
}

static void a_batch_that_is_open_closes_after_the_new_time(void **state)
{
    struct harness *harness = *state;

    offer_in_two(harness, 3, 3);
    harness_start(harness, BATCHES("batch_size: 20, batch_timeout: 10m"));
    harness_wait(harness, has_handled_three);
    reload(harness, BATCHES("batch_size: 20, batch_timeout: 1ms"));
    await_done(harness, 3);
    reload(harness, BATCHES("batch_size: 3, batch_timeout: 10m"));
    producer_script_continue(harness->source);
    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 6);
    assert_true(harness->stats.closed_timeout >= 1);
    assert_int_equal(harness->stats.closed_size, 1);
}

static void the_bytes_of_batches(void **state)
{
    struct harness *harness = *state;

    offer_in_two(harness, 10, 10);
    harness_start(harness, BATCHES("batch_size: 10, batch_bytes: 1KiB, "
                                   "batch_timeout: 10m"));
    await_done(harness, 10);
    /* Payloads have three characters: "0:7". */
    reload(harness, BATCHES("batch_size: 10, batch_bytes: 8B, "
                            "batch_timeout: 10m"));
    producer_script_continue(harness->source);
    await_done(harness, 18);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(seen.messages[0], 10);
    for (unsigned i = 1; i < 5; i++)
        assert_int_equal(seen.messages[i], 2);
}

static enum weir_status key_by_itself(struct weir_message *msg, void *state)
{
    (void)state;
    weir_message_set_batch_key(msg, weir_message_payload(msg));
    seen.handled++;
    return WEIR_OK;
}

static void the_number_of_batch_keys(void **state)
{
    struct harness *harness = *state;

    offer_in_two(harness, 3, 6);
    harness->handler.handle_message = key_by_itself;
    harness_start(harness, BATCHES("batch_timeout: 10m"));
    harness_wait(harness, has_handled_three);
    assert_int_equal(seen.batches, 0);
    reload(harness, BATCHES("batch_timeout: 10m, max_batch_keys: 2"));
    producer_script_continue(harness->source);
    await_done(harness, 6);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
    assert_true(harness->stats.closed_keys >= 1);
}

/* ---- retries ---- */

static enum weir_status try_again(struct weir_message *msg, void *state)
{
    (void)state;
    seen.handled++;
    return weir_message_offset(msg) == 0 || weir_message_attempt(msg) == 1
               ? WEIR_RETRY
               : WEIR_OK;
}

static void the_attempts_of_a_handler(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 1);
    harness->handler.handle_message = try_again;
    harness_start(harness, RETRIES("attempts: 1000000, backoff: { min: 1ms, "
                                   "max: 1ms }"));
    harness_wait(harness, has_handled_three);
    reload(harness, RETRIES("attempts: 3, backoff: { min: 1ms, max: 1ms }"));
    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.rejected_retries, 1);
}

static void the_attempts_of_a_delivery(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 1);
    sink_script_message(harness->sink, NULL, WEIR_RETRY, SINK_SCRIPT_ALWAYS,
                        "not now");
    harness_start(harness, RETRIES("attempts: 1000000, backoff: { min: 1ms, "
                                   "max: 1ms }"));
    while (sink_script_writes(harness->sink) < 3)
        (void)producer_script_wait(harness->source, 1, clock_after_us(1000));
    reload(harness, RETRIES("attempts: 3, backoff: { min: 1ms, max: 1ms }"));
    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.rejected_retries, 1);
}

/* Half a day on average, or a millisecond at most. */
static void the_backoff(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 1);
    producer_script_pause(harness->source);
    producer_script_add_many(harness->source, 0, 20);
    harness->handler.handle_message = try_again;
    harness_start(harness,
                  RETRIES("attempts: 3, backoff: { min: 1d, max: 1d }"));
    while (seen.handled == 0)
        (void)producer_script_wait(harness->source, 1, clock_after_us(1000));
    reload(harness, RETRIES("attempts: 3, backoff: { min: 1ms, max: 1ms }"));
    producer_script_continue(harness->source);
    await_done(harness, 20);
    harness_drain(harness);
    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 20);
    assert_int_equal(harness->stats.abandoned, 1);
}

/* ---- the rest ---- */

static void the_rate(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 5000);
    harness_start(harness,
                  "producer: { SOURCE, rate_limit: { messages: 1, interval: "
                  "1d } }\n"
                  "processors: { handler: linked, ordering: none, "
                  "concurrency: 1 }\n" FAILURE);
    reload(harness, HEAD("1") FAILURE);
    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 5000);
}

/* How many are inside at once; all of them wait at the gate. */
static enum weir_status be_inside(struct weir_message *msg, void *state)
{
    const unsigned inside = ++seen.inside;
    unsigned most = seen.most_inside;

    (void)msg;
    (void)state;
    while (inside > most &&
           !atomic_compare_exchange_weak(&seen.most_inside, &most, inside))
        ;
    gate_pass(&gate);
    seen.handled++;
    seen.inside--;
    return WEIR_OK;
}

static bool are_all_inside_done(struct harness *harness)
{
    (void)harness;
    return seen.handled >= 4 && seen.inside == 0;
}

static bool nobody_is_late(struct harness *harness)
{
    struct reload_view *view = pipeline_look_at_reload(harness->pipeline);
    const bool is_late = !view || view->late > 0;

    free(view);
    return !is_late;
}

static void how_many_workers_work(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 4);
    producer_script_pause(harness->source);
    producer_script_add_many(harness->source, 0, 100);
    producer_script_pause(harness->source);
    producer_script_add_many(harness->source, 0, 100);
    harness->handler.handle_message = be_inside;
    harness_start(harness, HEAD("4") FAILURE);
    gate_await(&gate, 4);
    reload(harness, HEAD("1") FAILURE);
    gate_open(&gate);
    harness_wait(harness, are_all_inside_done);
    harness_wait(harness, nobody_is_late);
    seen.most_inside = 0;
    producer_script_continue(harness->source);
    await_done(harness, 104);
    assert_int_equal(seen.most_inside, 1);

    gate_close(&gate);
    reload(harness, HEAD("4") FAILURE);
    producer_script_continue(harness->source);
    gate_await(&gate, 4);
    gate_open(&gate);
    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 204);
}

static void who_rests_helps_with_the_end(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 4);
    harness->source_ops.backlog = WEIR_BACKLOG_FINISH;
    producer_script_set_endless(harness->source);
    harness->handler.handle_message = be_inside;
    harness_create(harness, HEAD("4") FAILURE);
    reload(harness, HEAD("1") FAILURE);
    harness_begin(harness);
    gate_await(&gate, 1);
    harness_drain(harness);
    gate_await(&gate, 4);
    gate_open(&gate);
    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.done, 4);
}

static bool is_said_to_be_stuck(struct harness *harness)
{
    struct pipeline_stats stats;

    pipeline_stats(harness->pipeline, &stats);
    return stats.handler_stuck == 1;
}

static void after_what_time_a_handler_is_stuck(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 1);
    harness->handler.handle_message = be_inside;
    harness_start(harness, HEAD("1") FAILURE);
    gate_await(&gate, 1);
    reload(harness,
           "producer: { SOURCE }\n"
           "processors: { handler: linked, ordering: none, concurrency: 1, "
           "timeout: 1ms }\n" FAILURE);
    harness_wait(harness, is_said_to_be_stuck);
    gate_open(&gate);
    assert_int_equal(harness_join(harness), 0);
}

static void how_long_a_drain_may_take(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 1);
    sink_script_set_late(harness->sink, true); /* for ever */
    harness_start(harness,
                  RETRIES("attempts: 5") "shutdown: { timeout: 1d }\n");
    while (sink_script_writes(harness->sink) == 0)
        (void)producer_script_wait(harness->source, 1, clock_after_us(1000));
    reload(harness, RETRIES("attempts: 5") "shutdown: { timeout: 100ms }\n");
    harness_drain(harness);
    assert_int_equal(harness_join(harness), PIPELINE_EXIT_LATE);
    assert_int_equal(harness->stats.abandoned, 1);
}

static bool is_stalled(struct harness *harness)
{
    struct pipeline_health health;

    pipeline_health(harness->pipeline, &health);
    for (unsigned i = 0; i < health.count; i++) {
        if (strcmp(health.reasons[i].code, "stalled") == 0)
            return true;
    }
    return false;
}

static void after_what_time_it_has_stalled(void **state)
{
#define STALLED(after)                                                         \
    HEAD("1")                                                                  \
    "admin: { stalled_after: " after " }\n"                                    \
    "failure: { then: drop, retry: { backoff: { min: 1ms, max: 1ms } } }\n"
    struct harness *harness = *state;

    harness_offer(harness, 0, 1);
    harness->handler.handle_message = be_inside;
    harness_start(harness, STALLED("1d"));
    gate_await(&gate, 1);
    reload(harness, STALLED("1s"));
    harness_wait(harness, is_stalled);
    gate_open(&gate);
    assert_int_equal(harness_join(harness), 0);
#undef STALLED
}

static void the_level_of_the_log(void **state)
{
    struct harness *harness = *state;

    harness_offer(harness, 0, 1);
    harness_create(harness, HEAD("1") FAILURE);
    reload(harness, HEAD("1") FAILURE "log: { level: error }\n");
    assert_int_equal(log_level(), WEIR_LOG_ERROR);
    reload(harness, HEAD("1") FAILURE "log: { level: debug }\n");
    assert_int_equal(log_level(), WEIR_LOG_DEBUG);
    harness_begin(harness);
    assert_int_equal(harness_join(harness), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_size_of_batches),
        TEST(a_batch_that_is_open_closes_at_the_new_size),
        TEST(a_batch_that_is_open_closes_after_the_new_time),
        TEST(the_bytes_of_batches),
        TEST(the_number_of_batch_keys),
        TEST(the_attempts_of_a_handler),
        TEST(the_attempts_of_a_delivery),
        TEST(the_backoff),
        TEST(the_rate),
        TEST(how_many_workers_work),
        TEST(who_rests_helps_with_the_end),
        TEST(after_what_time_a_handler_is_stuck),
        TEST(how_long_a_drain_may_take),
        TEST(after_what_time_it_has_stalled),
        TEST(the_level_of_the_log),
    };

    return cmocka_run_group_tests_name("reload_effect", tests, NULL, NULL);
}
