/*
 * process_test.c - what a run says about itself: stuck callbacks, a ledger that
 * balances at every moment, a message that was lost, memory that ran out.
 *
 * Linked with settle() wrapped, to lose a message, and with allocations that
 * fail.
 */
#include "harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "failing_alloc.h"
#include "lanes.h"
#include "log.h"
#include "settle.h"

#define teardown harness_teardown

static struct {
    struct gate gate;
    _Atomic unsigned handled;
    _Atomic bool rejects;                /* every seventh message */
    _Atomic bool does_lose;              /* the next message that ends */
    _Atomic(struct weir_message *) lost; /* so that its memory is not */
    _Atomic bool is_over;
    _Atomic unsigned unbalanced, polls;
} shared;

static int setup(void **state)
{
    shared.gate = (struct gate)GATE_CLOSED;
    shared.handled = shared.unbalanced = shared.polls = 0;
    shared.does_lose = shared.is_over = shared.rejects = false;
    return harness_setup(state);
}

void __real_settle(struct settler *settler, struct weir_message *msg,
                   enum ending ending);
void __wrap_settle(struct settler *settler, struct weir_message *msg,
                   enum ending ending);

void __wrap_settle(struct settler *settler, struct weir_message *msg,
                   enum ending ending)
{
    if (atomic_exchange(&shared.does_lose, false))
        shared.lost = msg;
    else
        __real_settle(settler, msg, ending);
}

#define FAILURE                                                                \
    "failure: { then: drop, retry: { attempts: 3, "                            \
    "backoff: { min: 1ms, max: 4ms } } }\nshutdown: { timeout: 20s }\n"
#define TO_SINK                                                                \
    "batchers: { default: { batch_size: 10, batch_timeout: 5ms, "              \
    "sink: { SINK } } }\n"

static enum weir_status gate_first(struct weir_message *msg, void *state)
{
    (void)state;
    if (place_is(msg, 0, 0))
        gate_pass(&shared.gate);
    shared.handled++;
    return WEIR_OK;
}

static bool is_said_stuck(struct harness *harness)
{
    struct pipeline_stats stats;

    pipeline_stats(harness->pipeline, &stats);
    return stats.handler_stuck == 1;
}

static bool the_others_are_handled(struct harness *harness)
{
    (void)harness;
    return shared.handled == 50;
}

static void a_callback_that_runs_too_long_is_said_once(void **state)
{
    struct harness *harness = *state;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 1);
    producer_script_begin(harness->source, 1, "t", 1);
    producer_script_add_many(harness->source, 1, 50);
    harness->handler.handle_message = gate_first;
    harness_start(harness, "producer: { SOURCE }\n"
                           "processors: { handler: linked, concurrency: 2, "
                           "ordering: partition, timeout: 100ms }\n" FAILURE);
    gate_await(&shared.gate, 1);
    harness_wait(harness, is_said_stuck);
    harness_wait(harness, the_others_are_handled);
    gate_open(&shared.gate);

    assert_int_equal(harness_join(harness), 0);
    assert_int_equal(harness->stats.handler_stuck, 1);
    assert_int_equal(harness->stats.done, 51);
}

static void *poll_stats(void *opaque)
{
    struct harness *harness = opaque;

    while (!shared.is_over) {
        struct pipeline_stats stats;

        pipeline_stats(harness->pipeline, &stats);
        shared.polls++;
        shared.unbalanced += stats.received != stats.done + stats.rejected +
                                                   stats.abandoned +
                                                   stats.in_flight;
    }
    return NULL;
}

static enum weir_status mixed(struct weir_message *msg, void *state)
{
    (void)state;
    switch (place_of(msg).number % 5) {
    case 0:
        return WEIR_DONE;
    case 1:
        return WEIR_REJECT;
    case 2:
        return weir_message_attempt(msg) < 2 ? WEIR_RETRY : WEIR_OK;
    default:
        return WEIR_OK;
    }
}

static void the_ledger_balances_at_every_moment(void **state)
{
    struct harness *harness = *state;
    pthread_t poller;

    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 5000);
    harness->handler.handle_message = mixed;
    harness_create(harness, "producer: { SOURCE }\n"
                            "processors: { handler: linked, concurrency: 2, "
                            "ordering: none }\n" TO_SINK FAILURE);
    assert_int_equal(pthread_create(&poller, NULL, poll_stats, harness), 0);
    harness_begin(harness);
    (void)harness_end(harness);
    shared.is_over = true;
    assert_int_equal(pthread_join(poller, NULL), 0);

    assert_int_equal(harness_finish(harness), 0);
    assert_true(shared.polls > 10);
    assert_int_equal(shared.unbalanced, 0);
    assert_int_equal(harness->stats.done, 4000);
    assert_int_equal(harness->stats.rejected, 1000);
}

static char said[4000];

static void remember(void *opaque, enum weir_log_level level, const char *text)
{
    (void)opaque;
    (void)level;
    (void)snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n",
                   text);
}

static bool is_all_but_one_done(struct harness *harness)
{
    struct pipeline_stats stats;

    pipeline_stats(harness->pipeline, &stats);
    return stats.done == 29;
}

static void a_message_that_was_lost_ends_the_run_with_74(void **state)
{
    struct harness *harness = *state;

    said[0] = '\0';
    producer_script_begin(harness->source, 0, "orders", 7);
    producer_script_add_many(harness->source, 0, 30);
    producer_script_set_endless(harness->source);
    shared.does_lose = true;
    log_set_callback(remember, NULL);
    harness_start(harness,
                  "producer: { SOURCE }\n"
                  "processors: { handler: linked, concurrency: 2, "
                  "ordering: none }\n" TO_SINK "failure: { then: drop }\n"
                  "shutdown: { timeout: 1s }\n");
    harness_wait(harness, is_all_but_one_done);
    harness_drain(harness);
    (void)harness_end(harness);
    log_set_callback(NULL, NULL);

    assert_int_equal(harness->exit_code, PIPELINE_EXIT_LEAK);
    assert_int_equal(harness->stats.in_flight, 1);
    assert_non_null(strstr(said, "orders[7]"));
    assert_int_equal(harness_destroy(harness), WEIR_OK);
}

/* ---- memory ---- */

static enum weir_status change(struct weir_message *msg, void *state)
{
    (void)state;
    shared.handled++;
    weir_message_set_batch_key(msg, weir_str("key"));
    if (place_of(msg).number % 7 == 3 && weir_message_attempt(msg) == 1)
        return WEIR_RETRY;
    if (place_of(msg).number % 7 == 4 && shared.rejects)
        return weir_message_reject(msg, "bad");
    return weir_message_set_payload(msg, weir_message_payload(msg));
}

static _Atomic unsigned delivered;

static enum weir_status deliver(struct weir_batch *batch, void *state)
{
    (void)state;
    for (size_t i = 0; i < weir_batch_count(batch); i++) {
        const struct place place = place_of(weir_batch_message(batch, i));

        if (place.number == 5 && delivered == 0)
            weir_batch_set_outcome(batch, i, 1, WEIR_RETRY, "once more");
    }
    delivered += (unsigned)weir_batch_count(batch);
    return WEIR_OK;
}

/* True: it came to the nth allocation. */
static bool run_without_memory(struct harness *harness, const char *topology,
                               unsigned nth)
{
    bool has_failed;
    int code;

    delivered = 0;
    shared.rejects = strstr(topology, "dead_letter:") != NULL;
    producer_script_begin(harness->source, 0, "t", 0);
    producer_script_add_many(harness->source, 0, 20);
    harness->handler.handle_message = change;
    harness->handler.handle_batch = deliver;
    harness_create(harness, topology);
    failing_alloc_arm(nth);
    harness_begin(harness);
    code = harness_end(harness);
    has_failed = failing_alloc_disarm();

    assert_int_equal(harness_finish(harness), code);
    assert_true(code == PIPELINE_EXIT_OK || code == PIPELINE_EXIT_GAVE_UP);
    assert_int_equal(harness->stats.rejected, harness->stats.dead_letters);
    assert_true(delivered >= harness->stats.done + harness->stats.rejected);
    if (code == PIPELINE_EXIT_OK && harness->stats.abandoned == 0) {
        assert_int_equal(harness->stats.done, shared.rejects ? 17 : 20);
        assert_int_equal(harness->stats.rejected, shared.rejects ? 3 : 0);
    }
    return has_failed;
}

static void survive(const char *topology)
{
    bool has_failed = true;

    for (unsigned nth = 1; has_failed && nth < 200; nth++) {
        void *state = NULL;

        assert_int_equal(setup(&state), 0);
        has_failed = run_without_memory(state, topology, nth);
        assert_int_equal(teardown(&state), 0);
    }
    assert_false(has_failed); /* every allocation has had its turn */
}

#define SMALL_BATCHES                                                          \
    "batchers: { default: { batch_size: 5, batch_timeout: 2ms } }\n"

static void a_run_without_order_survives_each_failed_allocation(void **state)
{
    (void)state;
    survive("producer: { SOURCE }\n"
            "processors: { handler: linked, concurrency: 1, "
            "ordering: none }\n" SMALL_BATCHES FAILURE);
}

static void an_ordered_run_survives_each_failed_allocation(void **state)
{
    (void)state;
    survive("producer: { SOURCE }\n"
            "processors: { handler: linked, concurrency: 1, "
            "ordering: partition }\n" SMALL_BATCHES FAILURE);
}

#define DEAD_LETTERS                                                           \
    "batchers: { default: { batch_size: 5, batch_timeout: 2ms }, "             \
    "dead_letter: { batch_size: 2, batch_timeout: 2ms } }\n"                   \
    "failure: { then: dead_letter, retry: { attempts: 3, "                     \
    "backoff: { min: 1ms, max: 4ms } } }\nshutdown: { timeout: 20s }\n"

static void dead_letters_survive_each_failed_allocation(void **state)
{
    (void)state;
    survive("producer: { SOURCE }\n"
            "processors: { handler: linked, concurrency: 1, "
            "ordering: none }\n" DEAD_LETTERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_callback_that_runs_too_long_is_said_once),
        TEST(the_ledger_balances_at_every_moment),
        TEST(a_message_that_was_lost_ends_the_run_with_74),
        TEST(a_run_without_order_survives_each_failed_allocation),
        TEST(an_ordered_run_survives_each_failed_allocation),
        TEST(dead_letters_survive_each_failed_allocation),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
