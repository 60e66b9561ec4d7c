/*
 * access_test.c - what is refused is explained in one line, without secrets.
 *
 * Starts a Kafka of its own, where WEIR_KAFKA says that there is one to start.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "clock.h"
#include "kafka_producer.h"
#include "member.h"
#include "own_node.h"

static struct own_node node;

static int start_node(void **state)
{
    (void)state;
    own_node_start(&node, "kafka", "--tls --acl");
    return 0;
}

static int end_node(void **state)
{
    (void)state;
    own_node_end(&node);
    return 0;
}

static int setup(void **state)
{
    struct member *member = member_create(broker_address(), NULL);

    member_make_topic(member, 1);
    /* Certificates have a name, and nobody listens at its IPv6 address. */
    test_settings_set(member->settings, "properties.broker.address.family",
                      "v4");
    *state = member;
    return 0;
}

static int teardown(void **state)
{
    member_destroy(*state);
    return 0;
}

static void use(struct member *member, const char *variable)
{
    char path[300];

    assert_non_null(getenv(variable));
    test_settings_set(member->settings, "brokers", getenv(variable));
    (void)snprintf(path, sizeof path, "%s/ca.pem",
                   getenv("WEIR_KAFKA_TLS_DIR"));
    test_settings_set(member->settings, "tls.ca", path);
}

static void log_in(struct member *member, const char *mechanism,
                   const char *user, const char *password)
{
    use(member, "WEIR_KAFKA_SASL");
    test_settings_set(member->settings, "sasl.mechanism", mechanism);
    test_settings_set(member->settings, "sasl.username", user);
    test_settings_set(member->settings, "sasl.password", password);
}

static void refused_with(struct member *member, const char *text)
{
    struct weir_error err = {0};
    const enum weir_status status =
        weir_kafka_producer.open(member->intake.self, member->settings, &err);

    weir_kafka_producer.close(member->intake.self,
                              clock_after_us(5 * CLOCK_SECOND_US));
    assert_int_equal(status, WEIR_RETRY);
    if (!strstr(err.text, text))
        fail_msg("'%s' is not in '%s'", text, err.text);
    assert_null(strstr(err.text, "-secret"));
}

static void a_certificate_is_enough_where_no_login_is_asked_for(void **state)
{
    struct member *member = *state;

    use(member, "WEIR_KAFKA_TLS");
    member_open(member);
    member_join(member, 1);
}

static void a_host_that_does_not_resolve_is_named(void **state)
{
    struct member *member = *state;

    test_settings_set(member->settings, "brokers", "nowhere.invalid:9092");
    refused_with(member, "does not resolve");
}

static void a_port_where_nobody_listens_is_named(void **state)
{
    struct member *member = *state;

    test_settings_set(member->settings, "brokers", "127.0.0.1:1");
    refused_with(member, "nothing listens there");
}

static void a_port_that_wants_tls_is_recognised(void **state)
{
    struct member *member = *state;

    test_settings_set(member->settings, "brokers", getenv("WEIR_KAFKA_TLS"));
    refused_with(member, "add `tls` or `sasl`");
}

static void a_port_without_tls_is_recognised(void **state)
{
    struct member *member = *state;

    use(member, "WEIR_KAFKA");
    refused_with(member, "check `tls`");
}

static void an_unknown_authority_is_recognised(void **state)
{
    struct member *member = *state;
    char path[300];

    use(member, "WEIR_KAFKA_TLS");
    (void)snprintf(path, sizeof path, "%s/stranger.pem",
                   getenv("WEIR_KAFKA_TLS_DIR"));
    test_settings_set(member->settings, "tls.ca", path);
    refused_with(member, "check `tls.ca`");
}

static void an_expired_certificate_is_recognised(void **state)
{
    struct member *member = *state;

    use(member, "WEIR_KAFKA_EXPIRED");
    refused_with(member, "has expired");
}

static void a_certificate_of_another_host_is_recognised(void **state)
{
    struct member *member = *state;

    use(member, "WEIR_KAFKA_WRONG_HOST");
    refused_with(member, "for another host");
}

static void a_wrong_password_is_recognised(void **state)
{
    log_in(*state, "PLAIN", "alice", "wrong-secret");
    refused_with(*state, "check `sasl.username`");
    log_in(*state, "SCRAM-SHA-256", "bob", "wrong-secret");
    refused_with(*state, "check `sasl.username`");
}

static void a_mechanism_that_is_not_offered_is_recognised(void **state)
{
    log_in(*state, "SCRAM-SHA-512", "bob", "bob-secret");
    refused_with(*state, "check `sasl.mechanism`");
}

static void a_missing_login_is_recognised(void **state)
{
    use(*state, "WEIR_KAFKA_SASL");
    refused_with(*state, "add `sasl`");
}

static void a_topic_that_is_not_ours_is_recognised(void **state)
{
    log_in(*state, "PLAIN", "alice", "alice-secret");
    refused_with(*state, "grant Read and Describe");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_certificate_is_enough_where_no_login_is_asked_for),
        TEST(a_host_that_does_not_resolve_is_named),
        TEST(a_port_where_nobody_listens_is_named),
        TEST(a_port_that_wants_tls_is_recognised),
        TEST(a_port_without_tls_is_recognised),
        TEST(an_unknown_authority_is_recognised),
        TEST(an_expired_certificate_is_recognised),
        TEST(a_certificate_of_another_host_is_recognised),
        TEST(a_wrong_password_is_recognised),
        TEST(a_mechanism_that_is_not_offered_is_recognised),
        TEST(a_missing_login_is_recognised),
        TEST(a_topic_that_is_not_ours_is_recognised),
    };

    (void)broker_address();
    return cmocka_run_group_tests_name("kafka_access", tests, start_node,
                                       end_node);
}
