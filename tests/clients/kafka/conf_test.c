/*
 * conf_test.c - what a topology says becomes a configuration, or is refused.
 */
#include "test.h"

#include <string.h>

#include "kafka_conf.h"
#include "kafka_property.h"
#include "test_settings.h"

static const struct weir_option options[] = {
    {.name = "brokers", .type = WEIR_OPTION_LIST},
    {.name = "tls", .type = WEIR_OPTION_GROUP, .children = kafka_tls_options},
    {.name = "sasl", .type = WEIR_OPTION_GROUP, .children = kafka_sasl_options},
    {.name = "properties", .type = WEIR_OPTION_MAP},
    {0},
};

static const struct kafka_value nothing[] = {{NULL, NULL}};

static int setup(void **state)
{
    *state = test_settings_create(options);
    if (!*state)
        return -1;
    test_settings_set(*state, "brokers", "one:9092,two:9093");
    return 0;
}

static int teardown(void **state)
{
    test_settings_destroy(*state);
    return 0;
}

static void assert_property(const rd_kafka_conf_t *conf, const char *name,
                            const char *expected)
{
    char value[200];
    size_t size = sizeof value;

    assert_int_equal(rd_kafka_conf_get(conf, name, value, &size),
                     RD_KAFKA_CONF_OK);
    assert_string_equal(value, expected);
}

static rd_kafka_conf_t *build(const struct weir_settings *settings,
                              const struct kafka_value *defaults,
                              const struct kafka_value *fixed)
{
    rd_kafka_conf_t *conf = NULL;
    struct weir_error err = {0};

    if (kafka_conf_build(settings, KAFKA_READS, defaults, fixed, &conf, &err) !=
        WEIR_OK)
        fail_msg("%s", err.text);
    return conf;
}

static const char *refusals(struct weir_settings *settings)
{
    kafka_conf_check(settings, KAFKA_READS);
    return test_settings_take_refusals(settings);
}

static void all_brokers_are_named(void **state)
{
    rd_kafka_conf_t *conf = build(*state, nothing, nothing);

    assert_property(conf, "bootstrap.servers", "one:9092,two:9093");
    assert_property(conf, "security.protocol", "plaintext");
    rd_kafka_conf_destroy(conf);
}

static void a_property_beats_a_default_and_not_what_is_fixed(void **state)
{
    const struct kafka_value defaults[] = {{"fetch.wait.max.ms", "100"},
                                           {"queued.min.messages", "5"},
                                           {NULL, NULL}};
    const struct kafka_value fixed[] = {{"client.id", "fixed"}, {NULL, NULL}};
    rd_kafka_conf_t *conf;

    test_settings_set(*state, "properties.fetch.wait.max.ms", "7");
    test_settings_set(*state, "properties.client.id", "mine");
    conf = build(*state, defaults, fixed);

    assert_property(conf, "fetch.wait.max.ms", "7");
    assert_property(conf, "queued.min.messages", "5");
    assert_property(conf, "client.id", "fixed");
    rd_kafka_conf_destroy(conf);
}

static void tls_and_sasl_choose_the_protocol(void **state)
{
    rd_kafka_conf_t *conf;

    test_settings_set(*state, "tls.verify", "false");
    test_settings_set(*state, "sasl.mechanism", "PLAIN");
    test_settings_set(*state, "sasl.username", "alice");
    test_settings_set(*state, "sasl.password", "secret");
    assert_string_equal(refusals(*state), "");
    conf = build(*state, nothing, nothing);

    assert_property(conf, "security.protocol", "sasl_ssl");
    assert_property(conf, "sasl.mechanism", "PLAIN");
    assert_property(conf, "sasl.username", "alice");
    assert_property(conf, "enable.ssl.certificate.verification", "false");
    rd_kafka_conf_destroy(conf);
}

static void a_property_that_weir_owns_is_refused_with_its_key(void **state)
{
    const char *said;

    test_settings_set(*state, "properties.group.id", "other");
    test_settings_set(*state, "properties.acks", "0");
    said = refusals(*state);

    assert_non_null(strstr(said, "properties.group.id"));
    assert_non_null(strstr(said, "use `group` instead"));
    assert_non_null(strstr(said, "properties.acks"));
}

static void what_the_promises_rest_on_is_owned(void **state)
{
    static const char *const names[] = {"enable.auto.commit",
                                        "auto.commit.interval.ms",
                                        "enable.auto.offset.store",
                                        "auto.offset.reset",
                                        "partition.assignment.strategy",
                                        "bootstrap.servers",
                                        "sasl.password",
                                        "acks",
                                        "enable.idempotence",
                                        "transactional.id"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(kafka_property_refusal(names[i], KAFKA_READS));
    assert_null(kafka_property_refusal("client.rack", KAFKA_READS));
    assert_null(kafka_property_refusal("isolation.level", KAFKA_READS));
    assert_null(kafka_property_refusal("queued.min.messages", KAFKA_READS));
}

static void what_is_sent_in_order_and_once_is_owned(void **state)
{
    static const char *const names[] = {"acks",
                                        "enable.idempotence",
                                        "retries",
                                        "max.in.flight",
                                        "queuing.strategy",
                                        "message.timeout.ms",
                                        "compression.type",
                                        "partitioner",
                                        "transactional.id",
                                        "delivery.report.only.error",
                                        "group.id",
                                        "enable.auto.commit"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(kafka_property_refusal(names[i], KAFKA_WRITES));
    assert_null(kafka_property_refusal("linger.ms", KAFKA_WRITES));
    assert_null(kafka_property_refusal("message.max.bytes", KAFKA_WRITES));
}

static void what_the_library_does_not_know_is_refused(void **state)
{
    const char *said;

    test_settings_set(*state, "properties.fetch.wiat.max.ms", "7");
    test_settings_set(*state, "properties.fetch.wait.max.ms", "often");
    said = refusals(*state);

    assert_non_null(strstr(said, "properties.fetch.wiat.max.ms"));
    assert_non_null(strstr(said, "properties.fetch.wait.max.ms"));
}

static void a_secret_is_not_repeated(void **state)
{
    const char *said;

    test_settings_set(*state, "properties.ssl.keystore.passwort", "hunter2");
    test_settings_set(*state, "properties.sasl.oauthbearer.method", "hunter2");
    said = refusals(*state);

    assert_non_null(strstr(said, "'sasl.oauthbearer.method': librdkafka "
                                 "refuses its value"));
    assert_null(strstr(said, "hunter2"));
}

static void a_password_needs_a_name(void **state)
{
    test_settings_set(*state, "sasl.mechanism", "PLAIN");
    test_settings_set(*state, "sasl.password", "secret");

    assert_non_null(strstr(refusals(*state), "`username`"));
}

static void a_certificate_file_must_be_readable(void **state)
{
    test_settings_set(*state, "tls.ca", "/nowhere/ca.pem");

    assert_non_null(strstr(refusals(*state), "/nowhere/ca.pem"));
}

static void a_certificate_needs_its_key(void **state)
{
    test_settings_set(*state, "tls.cert", "/dev/null");

    assert_non_null(strstr(refusals(*state), "`cert` and `key`"));
}

static void numbers_are_the_librarys_after_properties(void **state)
{
    assert_int_equal(kafka_conf_number(*state, "max.poll.interval.ms"), 300000);
    test_settings_set(*state, "properties.max.poll.interval.ms", "6000");
    assert_int_equal(kafka_conf_number(*state, "max.poll.interval.ms"), 6000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_brokers_are_named),
        TEST(a_property_beats_a_default_and_not_what_is_fixed),
        TEST(tls_and_sasl_choose_the_protocol),
        TEST(a_property_that_weir_owns_is_refused_with_its_key),
        TEST(what_the_promises_rest_on_is_owned),
        TEST(what_is_sent_in_order_and_once_is_owned),
        TEST(what_the_library_does_not_know_is_refused),
        TEST(a_secret_is_not_repeated),
        TEST(a_password_needs_a_name),
        TEST(a_certificate_file_must_be_readable),
        TEST(a_certificate_needs_its_key),
        TEST(numbers_are_the_librarys_after_properties),
    };
    return cmocka_run_group_tests_name("kafka_conf", tests, NULL, NULL);
}
