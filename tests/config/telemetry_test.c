/*
 * telemetry_test.c - the keys of `telemetry`.
 */
#include <stdio.h>

#include "load_support.h"
#include "test.h"

static void nobody_is_told_where_it_is_not_written(void **state)
{
    struct loaded loaded;

    (void)state;
    load_text(&loaded, COUNTER REST);
    assert_int_equal(loaded.status, WEIR_OK);
    assert_null(loaded.topology->telemetry.statsd.address);
    loaded_finish(&loaded);
    load_text(&loaded, COUNTER REST "telemetry: {}\n");
    assert_int_equal(loaded.status, WEIR_OK);
    assert_null(loaded.topology->telemetry.statsd.address);
    loaded_finish(&loaded);
}

static void statsd_has_defaults(void **state)
{
    const struct topology_statsd *statsd;
    struct loaded loaded;

    (void)state;
    load_text(&loaded, COUNTER REST "telemetry: { statsd: {} }\n");
    assert_int_equal(loaded.status, WEIR_OK);
    statsd = &loaded.topology->telemetry.statsd;
    assert_string_equal(statsd->address, "localhost:8125");
    assert_string_equal(statsd->prefix, "weir");
    assert_int_equal(statsd->interval_us, 10 * 1000 * 1000);
    loaded_finish(&loaded);
    load_text(&loaded, COUNTER REST
              "telemetry:\n"
              "  statsd: { address: \"[::1]:9125\", prefix: acme.weir, "
              "interval: 1s }\n");
    assert_int_equal(loaded.status, WEIR_OK);
    statsd = &loaded.topology->telemetry.statsd;
    assert_string_equal(statsd->address, "[::1]:9125");
    assert_string_equal(statsd->prefix, "acme.weir");
    assert_int_equal(statsd->interval_us, 1000 * 1000);
    loaded_finish(&loaded);
}

static void what_is_no_receiver_is_refused(void **state)
{
    static const char *const wrong[] = {
        "localhost", "localhost:",      ":8125",    "localhost:0",
        "a b:8125",  "localhost:99999", "::1:8125", "udp://localhost:8125"};
    char text[512];

    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(text, sizeof text,
                       COUNTER REST "telemetry: { statsd: { address: \"%s\" } }"
                                    "\n",
                       wrong[i]);
        assert_mentions(text, "telemetry.statsd.address: `");
        assert_mentions(text, "is no host and port");
    }
    assert_accepted(COUNTER REST
                    "telemetry: { statsd: { address: agent.svc:8125 } }\n");
}

static void a_prefix_is_a_name(void **state)
{
    (void)state;
    assert_refused(COUNTER REST "telemetry:\n  statsd: { prefix: \"a|b\" }\n",
                   "/conf/t.yaml:6:21: telemetry.statsd.prefix: is made of "
                   "letters, digits, _, . and -, 100 of them at most\n");
    assert_mentions(COUNTER REST "telemetry: { statsd: { prefix: \"\" } }\n",
                    "telemetry.statsd.prefix: is made of");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(nobody_is_told_where_it_is_not_written),
        TEST_ALONE(statsd_has_defaults),
        TEST_ALONE(what_is_no_receiver_is_refused),
        TEST_ALONE(a_prefix_is_a_name),
    };

    return cmocka_run_group_tests_name("telemetry", tests, NULL, NULL);
}
