/*
 * connect_test.c - a broker that can't be had is told in one clear line.
 */
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "amqp_producer.h"
#include "peer_fixture.h"

static const struct weir_producer_ops *const ops = &weir_amqp_producer;

static int setup(void **state)
{
    return peer_fixture_setup(state);
}

static int teardown(void **state)
{
    return peer_fixture_teardown(state);
}

static void a_host_that_does_not_resolve_is_named(void **state)
{
    struct peer_fixture *fixture = *state;

    test_settings_set(fixture->settings, "url",
                      "amqp://weir:hunter2@broker.invalid");
    peer_expect_refusal(fixture, "broker.invalid does not resolve");
}

static void a_refused_connection_names_the_port(void **state)
{
    struct peer_fixture *fixture = *state;
    const struct amqp_peer_options options = {.heartbeat_s = 0};

    peer_start(fixture, &options);
    amqp_peer_destroy(fixture->peer);
    fixture->peer = NULL;
    peer_expect_refusal(fixture, "Connection refused");
}

static void another_protocol_is_recognised(void **state)
{
    struct peer_fixture *fixture = *state;
    const struct amqp_peer_options options = {
        .greeting = "HTTP/1.1 400 Bad Request\r\n\r\n"};

    peer_start(fixture, &options);
    peer_expect_refusal(fixture, "does another protocol listen");
}

static void tls_to_a_plain_port_fails_in_words(void **state)
{
    struct peer_fixture *fixture = *state;
    const struct amqp_peer_options options = {.greeting =
                                                  "AMQP\x00\x00\x09\x01"};
    char url[100];

    peer_start(fixture, &options);
    (void)snprintf(url, sizeof(url), "amqps://weir:hunter2@127.0.0.1:%d",
                   amqp_peer_port(fixture->peer));
    test_settings_set(fixture->settings, "url", url);
    ops->wake(test_intake_self(fixture->intake)); /* a second, not ten */
    peer_expect_refusal(fixture, "TLS");
}

static void a_refused_password_names_the_user(void **state)
{
    struct peer_fixture *fixture = *state;
    const struct amqp_peer_options options = {
        .login_refusal = 403,
        .refusal_text = "ACCESS_REFUSED - Login was refused using "
                        "authentication mechanism PLAIN."};

    peer_start(fixture, &options);
    peer_expect_refusal(fixture,
                        "as weir: logging in: check user and password");
}

static void a_vhost_that_is_not_there_is_told_apart(void **state)
{
    struct peer_fixture *fixture = *state;
    const struct amqp_peer_options options = {
        .login_refusal = 530,
        .refusal_text = "NOT_ALLOWED - vhost nope not found"};

    peer_start(fixture, &options);
    peer_expect_refusal(fixture, "the url names a vhost that isn't there");
}

static void a_queue_that_is_not_there_yet_is_waited_for(void **state)
{
    struct peer_fixture *fixture = *state;
    const struct amqp_peer_options options = {
        .declare_refusal = 404,
        .refusal_text = "NOT_FOUND - no queue 'q' in vhost '/'"};

    peer_start(fixture, &options);
    peer_expect_refusal(fixture, "waiting for it");
}

static void a_queue_that_was_declared_otherwise_says_so(void **state)
{
    struct peer_fixture *fixture = *state;
    const struct amqp_peer_options options = {
        .declare_refusal = 406,
        .refusal_text = "PRECONDITION_FAILED - inequivalent arg 'durable'"};

    peer_start(fixture, &options);
    test_settings_set(fixture->settings, "declare.type", "quorum");
    peer_expect_refusal(fixture, "it exists and was declared otherwise");
}

static void a_broker_that_says_nothing_is_given_up_within_its_time(void **state)
{
    struct peer_fixture *fixture = *state;
    const struct amqp_peer_options options = {.silence =
                                                  AMQP_PEER_SILENT_AT_ONCE};
    const int64_t started_us = clock_now_us();

    peer_start(fixture, &options);
    ops->wake(test_intake_self(fixture->intake)); /* shortens it to a second */
    peer_expect_refusal(fixture, "silent");
    assert_true(clock_now_us() - started_us < 3 * CLOCK_SECOND_US);
}

struct waker {
    struct peer_fixture *fixture;
    uint32_t method; /* when the peer has got it */
};

static void *wake_after(void *opaque)
{
    struct waker *waker = opaque;

    while (amqp_peer_method_count(waker->fixture->peer, waker->method) == 0)
        sched_yield();
    ops->wake(test_intake_self(waker->fixture->intake));
    return NULL;
}

static void wake_cuts_a_blocked_open_short(void **state)
{
    struct peer_fixture *fixture = *state;
    const struct amqp_peer_options options = {.silence =
                                                  AMQP_PEER_SILENT_AT_DECLARE};
    struct waker waker = {.fixture = fixture, .method = 50 << 16 | 10};
    const int64_t started_us = clock_now_us();
    pthread_t thread;

    peer_start(fixture, &options);
    assert_int_equal(pthread_create(&thread, NULL, wake_after, &waker), 0);
    peer_expect_refusal(fixture, "queue q");
    pthread_join(thread, NULL);
    assert_true(clock_now_us() - started_us < 3 * CLOCK_SECOND_US);
}

static void wake_before_open_does_not_fail_a_healthy_one(void **state)
{
    struct peer_fixture *fixture = *state;

    ops->wake(test_intake_self(fixture->intake));
    peer_connect(fixture);
}

static void the_next_url_is_tried_after_a_failure(void **state)
{
    struct peer_fixture *fixture = *state;
    const struct amqp_peer_options options = {.heartbeat_s = 0};
    struct weir_error err = {.text = ""};
    char urls[200];

    peer_start(fixture, &options);
    (void)snprintf(urls, sizeof(urls),
                   "amqp://broker.invalid,amqp://127.0.0.1:%d",
                   amqp_peer_port(fixture->peer));
    test_settings_set(fixture->settings, "url", urls);
    assert_int_equal(peer_open(fixture, &err), WEIR_RETRY);
    test_intake_close(fixture->intake);

    assert_int_equal(peer_open(fixture, &err), WEIR_OK);
    test_intake_close(fixture->intake);
    assert_int_equal(peer_open(fixture, &err), WEIR_OK);
    assert_int_equal(amqp_peer_connections(fixture->peer), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_host_that_does_not_resolve_is_named),
        TEST(a_refused_connection_names_the_port),
        TEST(another_protocol_is_recognised),
        TEST(tls_to_a_plain_port_fails_in_words),
        TEST(a_refused_password_names_the_user),
        TEST(a_vhost_that_is_not_there_is_told_apart),
        TEST(a_queue_that_is_not_there_yet_is_waited_for),
        TEST(a_queue_that_was_declared_otherwise_says_so),
        TEST(a_broker_that_says_nothing_is_given_up_within_its_time),
        TEST(wake_cuts_a_blocked_open_short),
        TEST(wake_before_open_does_not_fail_a_healthy_one),
        TEST(the_next_url_is_tried_after_a_failure),
    };
    return cmocka_run_group_tests_name("amqp_connect", tests, NULL, NULL);
}
