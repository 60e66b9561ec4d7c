/*
 * topology_test.c - what a topology file becomes.
 */
#include <stdio.h>
#include <string.h>

#include "load_support.h"
#include "test.h"

static const char full[] = "name: orders\n"
                           "producer:\n"
                           "  log:\n"
                           "    brokers: a:1, b:2\n"
                           "    topics: [orders, refunds]\n"
                           "    group: g\n"
                           "    tls: { ca: ca.pem }\n"
                           "    properties: { client.rack: eu-1 }\n"
                           "  concurrency: 2\n"
                           "  max_message_bytes: 64KiB\n"
                           "processors:\n"
                           "  handler: passthrough\n"
                           "  concurrency: 4\n"
                           "  ordering: key\n"
                           "  ordering_key: \"%{header.customer}\"\n"
                           "  timeout: 5s\n"
                           "  max_demand: 100\n"
                           "batchers:\n"
                           "  default:\n"
                           "    batch_size: 500\n"
                           "    batch_bytes: 2MiB\n"
                           "    batch_timeout: 200ms\n"
                           "    concurrency: 2\n"
                           "    sink: { table: { path: out/orders } }\n"
                           "failure:\n"
                           "  retry: { attempts: 3, backoff: { max: 1m } }\n"
                           "  then: stop\n"
                           "memory: 64MiB\n"
                           "shutdown: { timeout: 10s }\n"
                           "log: { format: json, level: debug }\n";

static void a_byte_order_mark_before_the_first_key_is_nothing(void **state)
{
    (void)state;
    assert_accepted("\xEF\xBB\xBF" COUNTER REST);
    assert_mentions("\xEF\xBB\xBFnmae: t\n", "t.yaml:1:1: nmae");
}

static void every_key_reaches_the_topology(void **state)
{
    const struct topology *topology;
    struct loaded loaded;

    (void)state;
    load_text(&loaded, full);
    assert_string_equal(loaded.text, "");
    topology = loaded.topology;
    assert_string_equal(topology->name, "orders");
    assert_string_equal(topology->producer.ops->name, "log");
    assert_int_equal(topology->producer.concurrency, 2);
    assert_int_equal(topology->producer.max_message_bytes, 64 * 1024);
    assert_string_equal(topology->processors.handler.builtin->name,
                        "passthrough");
    assert_int_equal(topology->processors.concurrency, 4);
    assert_int_equal(topology->processors.ordering, WEIR_ORDERING_KEY);
    assert_string_equal(topology->processors.ordering_key,
                        "%{header.customer}");
    assert_int_equal(topology->processors.timeout_us, 5000000);
    assert_int_equal(topology->processors.max_demand, 100);
    assert_int_equal(topology->processors.min_demand, 50);
    assert_int_equal(topology->batcher_count, 1);
    assert_string_equal(topology->batchers[0].name, "default");
    assert_int_equal(topology->batchers[0].batch_size, 500);
    assert_int_equal(topology->batchers[0].batch_bytes, 2 * 1024 * 1024);
    assert_int_equal(topology->batchers[0].batch_timeout_us, 200000);
    assert_string_equal(topology->batchers[0].sink->name, "table");
    assert_int_equal(topology->failure.attempts, 3);
    assert_int_equal(topology->failure.backoff_min_us, 100000);
    assert_int_equal(topology->failure.backoff_max_us, 60000000);
    assert_int_equal(topology->failure.then, WEIR_POLICY_STOP);
    assert_int_equal(topology->memory, 64 * 1024 * 1024);
    assert_int_equal(topology->shutdown_timeout_us, 10000000);
    assert_int_equal(topology->log_level, WEIR_LOG_DEBUG);
    assert_int_equal(topology->log_format, LOG_JSON);
    loaded_finish(&loaded);
}

static void what_is_not_written_has_its_default(void **state)
{
    const struct topology *topology;
    struct loaded loaded;

    (void)state;
    load_text(&loaded, COUNTER "batchers: { default: { sink: void } }\n" REST);
    assert_string_equal(loaded.text, "");
    topology = loaded.topology;
    assert_int_equal(topology->producer.concurrency, 1);
    assert_int_equal(topology->producer.max_message_bytes, 1024 * 1024);
    assert_int_equal(topology->producer.rate_limit.interval_us, 0);
    assert_true(topology->processors.concurrency >= 1);
    assert_int_equal(topology->processors.ordering, WEIR_ORDERING_NONE);
    assert_null(topology->processors.ordering_key);
    assert_false(topology->processors.requeue_breaks_order);
    assert_int_equal(topology->processors.timeout_us, 0);
    assert_int_equal(topology->processors.max_demand, 1024);
    assert_int_equal(topology->processors.min_demand, 512);
    assert_int_equal(topology->batchers[0].batch_size, 100);
    assert_int_equal(topology->batchers[0].batch_bytes, 1024 * 1024);
    assert_int_equal(topology->batchers[0].batch_timeout_us, 1000000);
    assert_int_equal(topology->batchers[0].max_batch_keys, 1000);
    assert_int_equal(topology->batchers[0].concurrency, 1);
    assert_int_equal(topology->batchers[0].max_in_flight, 1);
    assert_int_equal(topology->failure.attempts, 5);
    assert_int_equal(topology->failure.backoff_min_us, 100000);
    assert_int_equal(topology->failure.backoff_max_us, 30000000);
    assert_true(topology->memory > 0);
    assert_int_equal(topology->shutdown_timeout_us, 30000000);
    assert_int_equal(topology->log_level, WEIR_LOG_INFO);
    assert_int_equal(topology->log_format, LOG_AUTO);
    loaded_finish(&loaded);
}

static void the_producer_chooses_the_default_ordering(void **state)
{
    struct loaded loaded;

    (void)state;
    load_text(&loaded, "name: t\n"
                       "producer: { log: { topics: a, group: g } }\n" REST);
    assert_string_equal(loaded.text, "");
    assert_int_equal(loaded.topology->processors.ordering,
                     WEIR_ORDERING_PARTITION);
    assert_int_equal(loaded.topology->batcher_count, 0);
    loaded_finish(&loaded);
}

static void every_instance_has_its_share(void **state)
{
    const struct weir_share *share;
    struct loaded loaded;

    (void)state;
    load_text(&loaded, full);
    assert_int_equal(loaded.status, WEIR_OK);
    share = weir_settings_share(loaded.topology->producer.settings[1]);
    assert_string_equal(share->pipeline, "orders");
    assert_int_equal(share->index, 1);
    assert_int_equal(share->count, 2);
    assert_int_equal(share->memory, 16 * 1024 * 1024);
    assert_int_equal(share->max_message_bytes, 64 * 1024);
    assert_int_equal(share->in_flight, 500 * 2 * 2 + 64 * 4);
    assert_int_equal(share->largest_batch, 500);
    assert_int_equal(share->open_batches, 0);
    assert_int_equal(share->ordering, WEIR_ORDERING_KEY);
    assert_string_equal(share->ordering_key, "%{header.customer}");
    assert_int_equal(share->policy, WEIR_POLICY_STOP);
    assert_false(share->until_end);
    share = weir_settings_share(loaded.topology->batchers[0].settings[0]);
    assert_int_equal(share->index, 0);
    assert_int_equal(share->count, 2);
    assert_int_equal(share->memory, 0);
    assert_int_equal(share->open_batches, 1);
    loaded_finish(&loaded);
}

static void a_share_tells_how_long_a_message_may_be_held(void **state)
{
    static const struct {
        const char *failure, *more;
        int64_t seconds;
    } rows[] = {
        /* twice 1 + 2 + 4 + 5 */
        {"attempts: 5, backoff: { min: 1s, max: 5s }", "", 24},
        {"attempts: 5, backoff: { min: 1s, max: 5s }", "timeout: 10s", 74},
        {"attempts: 1, backoff: { min: 1s, max: 5s }", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[400];
        struct loaded loaded;

        (void)snprintf(text, sizeof text,
                       COUNTER "processors: { handler: passthrough, %s }\n"
                               "batchers: { default: { sink: void } }\n"
                               "failure: { then: drop, retry: { %s } }\n",
                       rows[i].more, rows[i].failure);
        load_text(&loaded, text);
        assert_int_equal(loaded.status, WEIR_OK);
        assert_int_equal(
            weir_settings_share(loaded.topology->producer.settings[0])->held_us,
            rows[i].seconds * INT64_C(1000000));
        loaded_finish(&loaded);
    }
}

static void a_connector_reads_its_values(void **state)
{
    const struct weir_settings *settings;
    struct loaded loaded;

    (void)state;
    load_text(&loaded, full);
    assert_int_equal(loaded.status, WEIR_OK);
    settings = loaded.topology->producer.settings[0];
    assert_int_equal(weir_settings_count(settings, "brokers"), 2);
    assert_string_equal(weir_settings_item(settings, "brokers", 1), "b:2");
    assert_string_equal(weir_settings_item(settings, "topics", 1), "refunds");
    assert_null(weir_settings_item(settings, "topics", 2));
    assert_string_equal(weir_settings_string(settings, "start"), "earliest");
    assert_string_equal(weir_settings_string(settings, "tls.ca"),
                        "/conf/ca.pem");
    assert_true(weir_settings_bool(settings, "tls.verify", false));
    assert_non_null(weir_settings_group(settings, "tls", 0));
    assert_int_equal(weir_settings_int(settings, "interval", 0), 1000000);
    assert_false(weir_settings_has(settings, "sasl"));
    assert_null(weir_settings_group(settings, "sasl", 0));
    assert_int_equal(weir_settings_count(settings, "properties"), 1);
    assert_string_equal(weir_settings_key(settings, "properties", 0),
                        "client.rack");
    assert_string_equal(weir_settings_item(settings, "properties", 0), "eu-1");
    settings = loaded.topology->batchers[0].settings[1];
    assert_string_equal(weir_settings_string(settings, "path"),
                        "/conf/out/orders");
    loaded_finish(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_byte_order_mark_before_the_first_key_is_nothing),
        cmocka_unit_test(every_key_reaches_the_topology),
        cmocka_unit_test(what_is_not_written_has_its_default),
        cmocka_unit_test(the_producer_chooses_the_default_ordering),
        cmocka_unit_test(every_instance_has_its_share),
        cmocka_unit_test(a_share_tells_how_long_a_message_may_be_held),
        cmocka_unit_test(a_connector_reads_its_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
