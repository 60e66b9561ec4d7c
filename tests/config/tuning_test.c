/*
 * tuning_test.c - of two topologies: what may change while one runs, and what
 * needs a restart.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "difference.h"
#include "failing_alloc.h"
#include "load_support.h"

#define LOG                                                                    \
    "name: t\n"                                                                \
    "producer: { log: { topics: [a, b], group: g, window: 300 } }\n"
#define PARTS                                                                  \
    "processors: { handler: passthrough, concurrency: 4 }\n"                   \
    "failure: { then: drop }\n"
#define BATCHERS "batchers: { default: { sink: void } }\n"

static struct loaded running, next;
static struct tuning now, fitted;
static char told[4096]; /* a line for each */

static int setup(void **state)
{
    (void)state;
    running = (struct loaded){0};
    next = (struct loaded){0};
    now = (struct tuning){.batchers = NULL};
    fitted = (struct tuning){.batchers = NULL};
    told[0] = '\0';
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tuning_finish(&now);
    tuning_finish(&fitted);
    loaded_finish(&running);
    loaded_finish(&next);
    return 0;
}

static void load_both(const char *first, const char *second)
{
    load_text(&running, first);
    load_text(&next, second);
    if (!running.topology || !next.topology)
        fail_msg("%s%s", running.text, next.text);
    assert_int_equal(tuning_read(running.topology, &now), WEIR_OK);
}

static void tell(void *opaque, const struct tuning_change *change)
{
    const size_t used = strlen(told);

    (void)opaque;
    (void)snprintf(told + used, sizeof told - used, "%s: %s > %s\n",
                   change->path, change->from, change->to);
}

static void fit(void)
{
    assert_int_equal(
        tuning_fit(running.topology, &now, next.topology, &fitted, tell, NULL),
        WEIR_OK);
}

static void assert_changes(const char *first, const char *second,
                           const char *lines)
{
    load_both(first, second);
    fit();
    assert_string_equal(told, "");
    topology_differences(running.topology, next.topology, tell, NULL);
    assert_string_equal(told, ""); /* none of them needs a restart */
    tuning_differences(running.topology, &now, &fitted, tell, NULL);
    assert_string_equal(told, lines);
}

static void assert_needs_restart(const char *first, const char *second,
                                 const char *lines)
{
    load_both(first, second);
    topology_differences(running.topology, next.topology, tell, NULL);
    assert_string_equal(told, lines);
    fit();
    assert_string_equal(told, lines);
    tuning_differences(running.topology, &now, &fitted, tell, NULL);
    assert_string_equal(told, lines); /* and nothing else changes */
}

static void the_same_file_changes_nothing(void **state)
{
    (void)state;
    assert_changes(LOG PARTS BATCHERS, LOG PARTS BATCHERS, "");
}

static void a_default_that_is_written_out_is_no_change(void **state)
{
    (void)state;
    assert_changes(LOG PARTS BATCHERS,
                   "name: t\n"
                   "log: { level: info }\n"
                   "shutdown: { timeout: 30000ms }\n"
                   "producer: { concurrency: 1, log: { group: g, window: 300, "
                   "start: earliest, interval: 1000ms, topics: \"a,b\" } }\n"
                   "processors: { handler: passthrough, concurrency: 4, "
                   "timeout: none, ordering: partition, "
                   "min_demand: 512 }\n"
                   "failure: { then: drop, retry: { attempts: 5 } }\n"
                   "batchers: { default: { sink: void, batch_bytes: 1024KiB } "
                   "}\n",
                   "");
}

static void what_may_change_while_it_runs(void **state)
{
    (void)state;
    assert_changes(
        LOG PARTS BATCHERS,
        "name: t\n"
        "producer: { log: { topics: [a, b], group: g, window: 300 },\n"
        "  rate_limit: { messages: 500, bytes: 2MiB } }\n"
        "processors: { handler: passthrough, concurrency: 2, timeout: 5s }\n"
        "failure: { then: drop, retry: { attempts: 7,\n"
        "  backoff: { min: 10ms, max: 20s } } }\n"
        "shutdown: { timeout: 10s }\n"
        "log: { level: debug }\n"
        "batchers: { default: { sink: void, batch_size: 50,\n"
        "  batch_bytes: 64KiB, batch_timeout: 20ms, max_batch_keys: 8 } }\n",
        "producer.rate_limit.messages: none > 500\n"
        "producer.rate_limit.bytes: none > 2MiB\n"
        "producer.rate_limit.interval: none > 1s\n"
        "processors.concurrency: 4 > 2\n"
        "processors.timeout: none > 5s\n"
        "failure.retry.attempts: 5 > 7\n"
        "failure.retry.backoff.min: 100ms > 10ms\n"
        "failure.retry.backoff.max: 30s > 20s\n"
        "shutdown.timeout: 30s > 10s\n"
        "log.level: info > debug\n"
        "batchers.default.batch_size: 100 > 50\n"
        "batchers.default.batch_bytes: 1MiB > 64KiB\n"
        "batchers.default.batch_timeout: 1s > 20ms\n"
        "batchers.default.max_batch_keys: 1000 > 8\n");
}

static void what_needs_a_restart(void **state)
{
    (void)state;
    assert_needs_restart(
        "memory: 256MiB\n" LOG PARTS BATCHERS,
        "name: u\n"
        "memory: 64MiB\n"
        "admin: { listen: 9000 }\n"
        "log: { format: json }\n"
        "producer: { concurrency: 2, max_message_bytes: 2KiB,\n"
        "  log: { topics: a, group: h, window: 300, tls: {},\n"
        "         properties: { x.y: z } } }\n"
        "processors: { handler: passthrough, concurrency: 4,\n"
        "  ordering: none, max_demand: 10 }\n"
        "failure: { then: stop, stop_above: 50% over 1m }\n"
        "batchers: { default: { sink: void } }\n",
        "name: t > u\n"
        "failure.then: drop > stop\n"
        "failure.stop_above:  > 50% over 1m\n"
        "admin:  > \n"
        "admin.listen: 127.0.0.1:9464 > 9000\n"
        "log.format: auto > json\n"
        "memory: 256MiB > 64MiB\n"
        "producer.concurrency: 1 > 2\n"
        "producer.max_message_bytes: 1MiB > 2KiB\n"
        "producer.log.topics:  > \n"
        "producer.log.group: g > h\n"
        "producer.log.tls:  > \n"
        "producer.log.properties:  > \n"
        "producer.log.properties.x.y:  > z\n"
        "processors.max_demand: 1024 > 10\n"
        "processors.ordering: partition > none\n"
        "processors.min_demand: 512 > 5\n");
}

static void a_batcher_more_or_less_or_with_another_sink_needs_a_restart(
    void **state)
{
    (void)state;
    assert_needs_restart(
        "name: t\nproducer: counter\n" PARTS
        "batchers: { default: { sink: void }, a: { sink: void },\n"
        "  b: { sink: { table: { path: /one } } } }\n",
        "name: t\nproducer: counter\n" PARTS
        "batchers: { default: { sink: { table: { path: /one } },\n"
        "    concurrency: 2 },\n"
        "  b: { sink: { table: { path: /two } }, max_in_flight: 3 },\n"
        "  c: { sink: void } }\n",
        "batchers.default.concurrency: 1 > 2\n"
        "batchers.default.sink: void > table\n"
        "batchers.a: there > gone\n"
        "batchers.b.max_in_flight: 1 > 3\n"
        "batchers.b.sink.table.path: /one > /two\n"
        "batchers.c:  > new\n");
}

static void the_order_of_batchers_is_no_change(void **state)
{
    (void)state;
    assert_changes("name: t\nproducer: counter\n" PARTS
                   "batchers: { default: { sink: void },\n"
                   "  a: { sink: void, batch_size: 7 } }\n",
                   "name: t\nproducer: counter\n" PARTS
                   "batchers: { a: { sink: void, batch_size: 9 },\n"
                   "  default: { sink: void } }\n",
                   "batchers.a.batch_size: 7 > 9\n");
}

static void a_secret_that_changed_is_named_and_not_shown(void **state)
{
    static const char form[] =
        "name: t\n"
        "producer: { log: { topics: a, group: g, sasl: { mechanism: PLAIN,\n"
        "  password: %s }, properties: { ssl.key.password: %s } } }\n" PARTS;
    char first[512], second[512];

    (void)state;
    (void)snprintf(first, sizeof first, form, "planted-a", "planted-b");
    (void)snprintf(second, sizeof second, form, "planted-c", "planted-d");
    assert_needs_restart(
        first, second,
        "producer.log.sasl.password: *** > ***\n"
        "producer.log.properties.ssl.key.password: *** > ***\n");
}

static void more_workers_than_were_started_need_a_restart(void **state)
{
    (void)state;
    load_both(LOG PARTS BATCHERS,
              LOG "processors: { handler: passthrough, concurrency: 5 }\n"
                  "failure: { then: drop }\n" BATCHERS);
    now.values[TUNING_CONCURRENCY] = 2; /* some rest since */
    fit();
    assert_string_equal(told, "processors.concurrency: 2 > 5\n");
    assert_int_equal(fitted.values[TUNING_CONCURRENCY], 2);
}

static void a_source_that_pushes_has_room_for_the_first_batches_only(
    void **state)
{
    (void)state;
    load_both("name: t\nproducer: { queue: { url: u } }\n" PARTS BATCHERS,
              "name: t\nproducer: { queue: { url: u } }\n" PARTS
              "batchers: { default: { sink: void, batch_size: 101,\n"
              "  batch_timeout: 5s } }\n");
    now.batchers[0].values[TUNING_BATCH_SIZE] = 40; /* by an earlier one */
    fit();
    assert_string_equal(told, "batchers.default.batch_size: 40 > 101\n");
    assert_int_equal(fitted.batchers[0].values[TUNING_BATCH_SIZE], 40);
    assert_int_equal(fitted.batchers[0].values[TUNING_BATCH_TIMEOUT], 5000000);
}

static void values_are_checked_beside_what_stays(void **state)
{
    struct weir_error err = {0};

    (void)state;
    /* Fine with the larger window, which needs a restart. */
    load_both(
        LOG PARTS BATCHERS,
        "name: t\n"
        "producer: { log: { topics: [a, b], group: g, window: 900 } }\n" PARTS
        "batchers: { default: { sink: void, batch_size: 400 } }\n");
    fit();
    assert_int_equal(tuning_check(running.topology, &now, &err), WEIR_OK);
    assert_int_equal(tuning_check(running.topology, &fitted, &err),
                     WEIR_REJECT);
    assert_string_equal(err.text, "producer.log.window: must be at least twice "
                                  "the largest batch (400)");
    fitted.batchers[0].values[TUNING_BATCH_SIZE] = 150;
    assert_int_equal(tuning_check(running.topology, &fitted, &err), WEIR_OK);
    fitted.batchers[0].values[TUNING_BATCH_BYTES] = INT64_C(1) << 40;
    assert_int_equal(tuning_check(running.topology, &fitted, &err),
                     WEIR_REJECT);
    assert_non_null(strstr(err.text, "batchers.default.batch_bytes: "));
}

static void a_limit_without_numbers_is_none(void **state)
{
    const struct topology_rate_limit none = {.interval_us = 5};

    (void)state;
    load_both(LOG PARTS BATCHERS, LOG PARTS BATCHERS);
    assert_int_equal(tuning_copy(&now, &fitted), WEIR_OK);
    tuning_set_rate(&fitted, &none);
    tuning_differences(running.topology, &now, &fitted, tell, NULL);
    assert_string_equal(told, "");
}

static void memory_that_runs_out_is_said_and_changes_nothing(void **state)
{
    unsigned failed = 0;

    (void)state;
    load_both(LOG PARTS BATCHERS, LOG PARTS BATCHERS);
    for (unsigned n = 1;; n++) {
        struct weir_error err = {0};
        enum weir_status status;

        failing_alloc_arm(n);
        status = tuning_check(running.topology, &now, &err);
        if (!failing_alloc_disarm())
            break;
        failed++;
        assert_int_equal(status, WEIR_RETRY);
        assert_string_equal(err.text, "out of memory");
    }
    assert_true(failed > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_file_changes_nothing),
        TEST(a_default_that_is_written_out_is_no_change),
        TEST(what_may_change_while_it_runs),
        TEST(what_needs_a_restart),
        TEST(a_batcher_more_or_less_or_with_another_sink_needs_a_restart),
        TEST(the_order_of_batchers_is_no_change),
        TEST(a_secret_that_changed_is_named_and_not_shown),
        TEST(more_workers_than_were_started_need_a_restart),
        TEST(a_source_that_pushes_has_room_for_the_first_batches_only),
        TEST(values_are_checked_beside_what_stays),
        TEST(a_limit_without_numbers_is_none),
        TEST(memory_that_runs_out_is_said_and_changes_nothing),
    };

    return cmocka_run_group_tests_name("tuning", tests, NULL, NULL);
}
