/*
 * peer_fixture.c - the producer with a small broker of our own.
 *
 * Threads: one, and the peer's.
 */
#include "peer_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp_producer.h"
#include "test.h"

int peer_fixture_setup(void **state)
{
    struct peer_fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->settings = test_settings_create(weir_amqp_producer.options);
    test_settings_set(fixture->settings, "queue", "q");
    test_settings_share(fixture->settings)->in_flight = 10;
    test_settings_share(fixture->settings)->max_message_bytes = 1000;
    fixture->intake = test_intake_create(&weir_amqp_producer);
    *state = fixture;
    return 0;
}

int peer_fixture_teardown(void **state)
{
    struct peer_fixture *fixture = *state;

    test_intake_close(fixture->intake);
    test_intake_destroy(fixture->intake);
    test_settings_destroy(fixture->settings);
    amqp_peer_destroy(fixture->peer);
    free(fixture);
    return 0;
}

void peer_start(struct peer_fixture *fixture,
                const struct amqp_peer_options *options)
{
    char url[100];

    fixture->peer = amqp_peer_create(options);
    (void)snprintf(url, sizeof(url), "amqp://weir:hunter2@127.0.0.1:%d",
                   amqp_peer_port(fixture->peer));
    test_settings_set(fixture->settings, "url", url);
}

enum weir_status peer_open(struct peer_fixture *fixture, struct weir_error *err)
{
    return weir_amqp_producer.open(test_intake_self(fixture->intake),
                                   fixture->settings, err);
}

void peer_connect(struct peer_fixture *fixture)
{
    const struct amqp_peer_options options = {.heartbeat_s = 0};
    struct weir_error err = {.text = ""};

    peer_start(fixture, &options);
    if (peer_open(fixture, &err) != WEIR_OK)
        fail_msg("%s", err.text);
}

enum weir_status peer_pull(struct peer_fixture *fixture, unsigned demand,
                           struct weir_error *err)
{
    const int64_t deadline_us = clock_after_us(10 * CLOCK_SECOND_US);
    enum weir_status status = WEIR_AGAIN;

    while (status == WEIR_AGAIN && clock_now_us() < deadline_us)
        status = test_intake_pull(fixture->intake, demand, deadline_us, err);
    return status;
}

void peer_expect_end(struct peer_fixture *fixture, const char *word)
{
    struct weir_error err = {.text = ""};
    enum weir_status status = WEIR_OK;

    while (status == WEIR_OK)
        status = peer_pull(fixture, 10, &err);
    assert_int_equal(status, WEIR_RETRY);
    if (!strstr(err.text, word))
        fail_msg("no '%s' in: %s", word, err.text);
}

void peer_expect_refusal(struct peer_fixture *fixture, const char *word)
{
    struct weir_error err = {.text = ""};

    assert_int_equal(peer_open(fixture, &err), WEIR_RETRY);
    if (!strstr(err.text, word))
        fail_msg("no '%s' in: %s", word, err.text);
    assert_null(strstr(err.text, "hunter2"));
}
