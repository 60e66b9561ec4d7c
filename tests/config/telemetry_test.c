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

static void traces_have_defaults(void **state)
{
    const struct topology_traces *traces;
    struct loaded loaded;

    (void)state;
    load_text(&loaded, COUNTER REST "telemetry: { traces: {} }\n");
    assert_int_equal(loaded.status, WEIR_OK);
    traces = &loaded.topology->telemetry.traces;
    assert_string_equal(traces->endpoint, "http://localhost:4318/v1/traces");
    assert_float_equal(traces->share, 0.01, 1e-9);
    assert_int_equal(traces->timeout_us, 5 * 1000 * 1000);
    assert_int_equal(traces->queue, 4096);
    loaded_finish(&loaded);
    load_text(&loaded, COUNTER REST
              "telemetry: { traces: { sample: 0.5%, ca: ca.pem } }\n");
    assert_int_equal(loaded.status, WEIR_OK);
    traces = &loaded.topology->telemetry.traces;
    assert_float_equal(traces->share, 0.005, 1e-9);
    assert_string_equal(traces->ca, "/conf/ca.pem");
    loaded_finish(&loaded);
    load_text(&loaded, COUNTER REST);
    assert_null(loaded.topology->telemetry.traces.endpoint);
    loaded_finish(&loaded);
}

static void what_is_no_collector_is_refused(void **state)
{
    static const char *const wrong[] = {"localhost:4318", "ftp://x/", "http://",
                                        "http:///v1", "http://a b/"};
    char text[512];

    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(text, sizeof text,
                       COUNTER REST
                       "telemetry: { traces: { endpoint: \"%s\" } }\n",
                       wrong[i]);
        assert_mentions(text,
                        "telemetry.traces.endpoint: is no URL of a collector");
    }
    assert_refused(
        COUNTER REST
        "telemetry: { traces: { endpoint: \"http://u:planted@h/\" } }\n",
        "/conf/t.yaml:5:34: telemetry.traces.endpoint: has a user in it: "
        "credentials are written as `authorization`\n");
    assert_refused(
        COUNTER REST
        "telemetry: { traces: { endpoint: \"http://h/?key=planted\" } }\n",
        "/conf/t.yaml:5:34: telemetry.traces.endpoint: has a query in it, "
        "which would be shown: credentials are written as `authorization`\n");
}

static void a_sample_is_a_share(void **state)
{
    static const char *const wrong[] = {"0.01", "1",   "-1%",
                                        "101%", "1 %", "x%"};
    char text[512];

    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(text, sizeof text,
                       COUNTER REST
                       "telemetry: { traces: { sample: \"%s\" } }\n",
                       wrong[i]);
        assert_mentions(text, "telemetry.traces.sample: ");
    }
    assert_accepted(COUNTER REST "telemetry: { traces: { sample: 100% } }\n");
    assert_mentions(COUNTER REST "telemetry: { traces: { authorization: "
                                 "\"planted\\r\\nX: y\" } }\n",
                    "telemetry.traces.authorization: has 1 to 1000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(nobody_is_told_where_it_is_not_written),
        TEST_ALONE(statsd_has_defaults),
        TEST_ALONE(what_is_no_receiver_is_refused),
        TEST_ALONE(a_prefix_is_a_name),
        TEST_ALONE(traces_have_defaults),
        TEST_ALONE(what_is_no_collector_is_refused),
        TEST_ALONE(a_sample_is_a_share),
    };

    return cmocka_run_group_tests_name("telemetry", tests, NULL, NULL);
}
