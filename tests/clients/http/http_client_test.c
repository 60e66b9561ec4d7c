/*
 * http_client_test.c - an answer, or why there is none, within the time.
 */
#include "test.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "http_client.h"
#include "http_peer.h"

#define SHORT_US (CLOCK_SECOND_US / 10)
#define LONG_US  (60 * CLOCK_SECOND_US) /* a test that waits for it fails */

static const char fine[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";

struct fixture {
    struct http_client *client;
    struct http_peer *peer;
    char url[100];
    struct weir_error err;
};

static int setup(void **state)
{
    const struct http_tls tls = {.verify = true};
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    if (http_client_create(&tls, &fixture->client, &fixture->err) != WEIR_OK)
        fail_msg("%s", fixture->err.text);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    http_client_destroy(fixture->client);
    http_peer_destroy(fixture->peer);
    free(fixture);
    return 0;
}

static void start(struct fixture *fixture, const char *scheme,
                  const char *answer)
{
    fixture->peer = http_peer_create(answer);
    (void)snprintf(fixture->url, sizeof fixture->url, "%s://127.0.0.1:%d/path",
                   scheme, http_peer_port(fixture->peer));
}

static enum weir_status get(struct fixture *fixture, int64_t timeout_us,
                            struct http_reply *ret_reply)
{
    const struct http_request request = {.url = fixture->url,
                                         .user = "alice",
                                         .password = "alice-secret",
                                         .reply_max = 1000,
                                         .timeout_us = timeout_us};

    return http_client_send(fixture->client, &request, ret_reply,
                            &fixture->err);
}

static void an_answer_of_any_status_is_an_answer(void **state)
{
    struct fixture *fixture = *state;
    struct http_reply reply;

    start(fixture, "http",
          "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nwho");
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(get(fixture, LONG_US, &reply), WEIR_OK);
        assert_int_equal(reply.status, 404);
        assert_int_equal(reply.body_size, 3);
        assert_string_equal(reply.body, "who");
        http_peer_await(fixture->peer, i);
    }
    assert_int_equal(http_peer_connections(fixture->peer), 1);
    assert_memory_equal(http_peer_request(fixture->peer), "GET /path HTTP/1.1",
                        18);
}

static void what_is_posted_arrives(void **state)
{
    struct fixture *fixture = *state;
    const char *const headers[] = {"Content-Type: application/json", "X-A: b",
                                   NULL};
    struct http_request request = {.user = "alice",
                                   .password = "alice-secret",
                                   .headers = headers,
                                   .body = "{\0}",
                                   .body_size = 3,
                                   .reply_max = 100,
                                   .timeout_us = LONG_US};
    struct http_reply reply;
    const char *said;

    start(fixture, "http", fine);
    request.url = fixture->url;
    assert_int_equal(
        http_client_send(fixture->client, &request, &reply, &fixture->err),
        WEIR_OK);
    http_peer_await(fixture->peer, 1);
    said = http_peer_request(fixture->peer);
    assert_memory_equal(said, "POST /path HTTP/1.1\r\n", 21);
    assert_non_null(strstr(said, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(said, "\r\nX-A: b\r\n"));
    assert_non_null(
        strstr(said, "\r\nAuthorization: Basic YWxpY2U6YWxpY2Utc2VjcmV0\r\n"));
    assert_memory_equal(strstr(said, "\r\n\r\n") + 4, "{\0}", 3);
}

static void nobody_listens_is_said_without_the_password(void **state)
{
    struct fixture *fixture = *state;
    struct http_reply reply;

    start(fixture, "http", fine);
    http_peer_destroy(fixture->peer);
    fixture->peer = NULL;
    assert_int_equal(get(fixture, LONG_US, &reply), WEIR_RETRY);
    assert_non_null(strstr(fixture->err.text, "127.0.0.1:"));
    assert_null(strstr(fixture->err.text, "secret"));
}

static void a_server_that_says_nothing_is_given_up_in_time(void **state)
{
    static const char *const schemes[] = {"http", "https"};
    struct fixture *fixture = *state;
    struct http_reply reply;

    for (size_t i = 0; i < 2; i++) {
        start(fixture, schemes[i], NULL);
        assert_int_equal(get(fixture, SHORT_US, &reply), WEIR_RETRY);
        assert_non_null(strstr(fixture->err.text, "within 0.1 s"));
        http_peer_destroy(fixture->peer);
        fixture->peer = NULL;
    }
}

static void *wake_when_asked(void *opaque)
{
    struct fixture *fixture = opaque;

    http_peer_await(fixture->peer, 1);
    http_client_wake(fixture->client);
    return NULL;
}

static void a_wake_ends_the_request_under_way(void **state)
{
    struct fixture *fixture = *state;
    struct http_reply reply;
    pthread_t thread;

    start(fixture, "http", NULL);
    assert_int_equal(pthread_create(&thread, NULL, wake_when_asked, fixture),
                     0);
    assert_int_equal(get(fixture, LONG_US, &reply), WEIR_AGAIN);
    pthread_join(thread, NULL);
}

static void a_wake_before_ends_the_next_request_only(void **state)
{
    struct fixture *fixture = *state;
    struct http_reply reply;

    start(fixture, "http", fine);
    http_client_wake(fixture->client);
    assert_int_equal(get(fixture, LONG_US, &reply), WEIR_AGAIN);
    assert_int_equal(get(fixture, LONG_US, &reply), WEIR_OK);
    assert_string_equal(reply.body, "fine");
}

static void an_answer_that_is_too_large_is_none(void **state)
{
    struct fixture *fixture = *state;
    struct http_reply reply;
    char answer[2000];

    (void)snprintf(answer, sizeof answer,
                   "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n%01001d", 0);
    start(fixture, "http", answer);
    assert_int_equal(get(fixture, LONG_US, &reply), WEIR_RETRY);
    assert_non_null(strstr(fixture->err.text, "larger than 1000"));
}

static void neither_redirects_nor_proxies_are_followed(void **state)
{
    struct fixture *fixture = *state;
    struct http_reply reply;

    start(fixture, "http",
          "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
          "Content-Length: 0\r\n\r\n");
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(get(fixture, LONG_US, &reply), WEIR_OK);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(reply.status, 302);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_of_any_status_is_an_answer),
        TEST(what_is_posted_arrives),
        TEST(nobody_listens_is_said_without_the_password),
        TEST(a_server_that_says_nothing_is_given_up_in_time),
        TEST(a_wake_ends_the_request_under_way),
        TEST(a_wake_before_ends_the_next_request_only),
        TEST(an_answer_that_is_too_large_is_none),
        TEST(neither_redirects_nor_proxies_are_followed),
    };
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
