/*
 * endpoint_test.c - an address and a port: what is one, and whose it is.
 */
#include "test.h"

#include <string.h>

#include "endpoint.h"

static void assert_is(const char *text, const char *written, bool is_loopback)
{
    char out[ENDPOINT_TEXT_SIZE];
    struct endpoint endpoint;

    assert_int_equal(endpoint_parse(text, &endpoint, NULL), WEIR_OK);
    endpoint_format(&endpoint, out);
    assert_string_equal(out, written);
    assert_int_equal(endpoint_is_loopback(&endpoint), is_loopback);
}

static void a_port_alone_is_on_this_machine_only(void **state)
{
    (void)state;
    assert_is("9464", "127.0.0.1:9464", true);
    assert_is(":9464", "127.0.0.1:9464", true);
    assert_is("localhost:80", "127.0.0.1:80", true);
}

static void both_kinds_of_addresses_are_read(void **state)
{
    struct endpoint endpoint;

    (void)state;
    assert_is("127.8.9.1:0", "127.8.9.1:0", true);
    assert_is("0.0.0.0:9464", "0.0.0.0:9464", false);
    assert_is("10.0.0.7:65535", "10.0.0.7:65535", false);
    assert_is("[::1]:9464", "[::1]:9464", true);
    assert_is("[::]:9464", "[::]:9464", false);
    assert_int_equal(endpoint_parse("[::1]:4", &endpoint, NULL), WEIR_OK);
    assert_int_equal(endpoint_port(&endpoint), 4);
}

static void a_host_may_be_a_name(void **state)
{
    struct endpoint_name name;

    (void)state;
    assert_int_equal(endpoint_split("agent.svc:8125", &name, NULL), WEIR_OK);
    assert_string_equal(name.host, "agent.svc");
    assert_string_equal(name.port, "8125");
    assert_false(name.is_numeric);
    assert_int_equal(endpoint_split("[::1]:08125", &name, NULL), WEIR_OK);
    assert_string_equal(name.host, "::1");
    assert_string_equal(name.port, "8125");
    assert_true(name.is_numeric);
    assert_int_equal(endpoint_split("10.0.0.7:1", &name, NULL), WEIR_OK);
    assert_true(name.is_numeric);
}

static void what_is_no_host_and_port_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",          ":",      "8125",        ":8125",       "host",
        "host:",     "host:0", "host:65536",  "host:x",      "::1:8125",
        "[::1:8125", "a b:1",  "user@host:1", "udp://host:1"};
    struct endpoint_name name;
    struct weir_error err;

    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(endpoint_split(wrong[i], &name, &err), WEIR_REJECT);
        assert_non_null(strstr(err.text, "as in localhost:8125"));
    }
}

static void anything_else_is_refused_with_an_example(void **state)
{
    static const char *const wrong[] = {
        "",
        ":",
        "x",
        "127.0.0.1",
        "1.2.3.4:",
        "1.2.3.4:x",
        "1.2.3.4:-1",
        "1.2.3.4:65536",
        "example:80",
        "::1:80",
        "[::1:80",
        "[127.0.0.1]:80",
        "[]:80",
        "1.2.3.4.5:1",
        "1.2.3.4: 80",
        "[::1]9464",
        "[fe80::1%eth0%0000000000000000000000000000000000000000000000]:1"};
    struct endpoint endpoint;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct weir_error err = {0};

        if (endpoint_parse(wrong[i], &endpoint, &err) != WEIR_REJECT)
            fail_msg("`%s` was taken for an endpoint", wrong[i]);
        assert_non_null(strstr(err.text, "127.0.0.1:9464"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(a_port_alone_is_on_this_machine_only),
        TEST_ALONE(both_kinds_of_addresses_are_read),
        TEST_ALONE(a_host_may_be_a_name),
        TEST_ALONE(what_is_no_host_and_port_is_refused),
        TEST_ALONE(anything_else_is_refused_with_an_example),
    };

    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
