/*
 * tls_test.c - a broker must prove who it is, and what is wrong is said.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp_producer.h"
#include "own_node.h"
#include "real_broker.h"
#include "test_intake.h"
#include "test_settings.h"

enum { SKIPPED = 77 };

static const struct weir_producer_ops *const ops = &weir_amqp_producer;

struct fixture {
    struct weir_settings *settings;
    struct weir_intake *intake;
    struct own_node node;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->settings = test_settings_create(ops->options);
    fixture->intake = test_intake_create(ops);
    test_settings_set(fixture->settings, "queue", "q");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    test_intake_destroy(fixture->intake);
    test_settings_destroy(fixture->settings);
    own_node_end(&fixture->node);
    free(fixture);
    return 0;
}

/* What the node said when it started. */
static const char *said(const char *name)
{
    const char *value = getenv(name);

    return value ? value : "";
}

static void trust(const struct fixture *fixture, const char *file)
{
    char path[200];

    (void)snprintf(path, sizeof(path), "%s/%s", said("WEIR_AMQP_TLS_DIR"),
                   file);
    test_settings_set(fixture->settings, "tls.ca", path);
}

static void start(struct fixture *fixture, const char *options)
{
    struct real_broker *broker;

    own_node_start(&fixture->node, "rabbitmq", options);
    broker = real_broker_create();
    real_broker_declare(broker, "q", NULL);
    real_broker_destroy(broker);
    test_settings_set(fixture->settings, "url", said("WEIR_AMQPS"));
    trust(fixture, "ca.pem");
}

static void expect_open(const struct fixture *fixture)
{
    struct weir_error err = {.text = ""};

    if (ops->open(test_intake_self(fixture->intake), fixture->settings, &err) !=
        WEIR_OK)
        fail_msg("%s", err.text);
    test_intake_close(fixture->intake);
}

static void expect_refusal(const struct fixture *fixture, const char *word)
{
    struct weir_error err = {.text = ""};

    assert_int_equal(
        ops->open(test_intake_self(fixture->intake), fixture->settings, &err),
        WEIR_RETRY);
    if (!strstr(err.text, word))
        fail_msg("no '%s' in: %s", word, err.text);
    assert_null(strstr(err.text, "guest:guest"));
    assert_null(strstr(err.text, "hunter"));
    test_intake_close(fixture->intake);
}

/* The url with the IP address instead of the name. */
static void dial_by_address(const struct fixture *fixture)
{
    const char *port = strrchr(said("WEIR_AMQPS"), ':');
    char url[200];

    assert_non_null(port);
    (void)snprintf(url, sizeof(url), "amqps://guest:guest@127.0.0.1%s",
                   port ? port : "");
    test_settings_set(fixture->settings, "url", url);
}

static void a_good_certificate_is_accepted_by_name_and_address(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, "--tls");
    expect_open(fixture);
    dial_by_address(fixture);
    expect_open(fixture);
    test_settings_set(fixture->settings, "tls.ca", "/dev/null");
    expect_refusal(fixture, "tls.ca /dev/null can't be read");
    test_settings_set(fixture->settings, "tls.verify", "false");
    expect_open(fixture);
}

static void an_unknown_authority_is_refused(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, "--tls");
    test_settings_set(fixture->settings, "tls.ca",
                      "/etc/ssl/certs/ca-certificates.crt");
    expect_refusal(fixture, "certificate is not accepted");
}

static void an_expired_certificate_is_refused(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, "--tls --certificate expired");
    expect_refusal(fixture, "certificate has expired");
}

static void another_hosts_certificate_is_refused(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, "--tls --certificate wronghost");
    expect_refusal(fixture, "hostname mismatch");
    dial_by_address(fixture);
    expect_refusal(fixture, "IP address mismatch");
}

static void show(const struct fixture *fixture, const char *cert,
                 const char *key)
{
    char path[200];

    (void)snprintf(path, sizeof(path), "%s/%s", said("WEIR_AMQP_TLS_DIR"),
                   cert);
    test_settings_set(fixture->settings, "tls.cert", path);
    (void)snprintf(path, sizeof(path), "%s/%s", said("WEIR_AMQP_TLS_DIR"), key);
    test_settings_set(fixture->settings, "tls.key", path);
}

static void encrypt_key(const char *name, const char *password)
{
    char command[600];

    (void)snprintf(command, sizeof(command),
                   "cd '%s' && openssl pkcs8 -topk8 -in %s.key -out %s.locked "
                   "-passout pass:%s",
                   said("WEIR_AMQP_TLS_DIR"), name, name, password);
    assert_int_equal(system(command), 0);
}

static void a_broker_that_wants_a_certificate_gets_ours(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, "--tls --conf ssl_options.fail_if_no_peer_cert=true");
    expect_refusal(fixture, "tls.cert");
    show(fixture, "client.pem", "client.key");
    expect_open(fixture);
    show(fixture, "client.pem", "server.key");
    expect_refusal(fixture, "don't belong together");
    show(fixture, "stranger.pem", "stranger.key");
    expect_refusal(fixture, "tls.cert");
    show(fixture, "expired.pem", "expired.key");
    expect_refusal(fixture, "tls.cert");

    encrypt_key("client", "hunter2");
    show(fixture, "client.pem", "client.locked");
    expect_refusal(fixture, "tls.key_password is missing or wrong");
    test_settings_set(fixture->settings, "tls.key_password", "hunter3");
    expect_refusal(fixture, "tls.key_password is missing or wrong");
    test_settings_set(fixture->settings, "tls.key_password", "hunter2");
    expect_open(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_certificate_is_accepted_by_name_and_address),
        TEST(an_unknown_authority_is_refused),
        TEST(an_expired_certificate_is_refused),
        TEST(another_hosts_certificate_is_refused),
        TEST(a_broker_that_wants_a_certificate_gets_ours),
    };

    if (!real_broker_is_there())
        return SKIPPED;
    return cmocka_run_group_tests_name("amqp_tls", tests, NULL, NULL);
}
