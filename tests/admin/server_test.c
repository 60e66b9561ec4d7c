/*
 * server_test.c - the port, and clients that mean no good.
 */
#include "harness.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin.h"
#include "guests.h"

#define TOPOLOGY                                                               \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked }\n"                                        \
    "failure: { then: drop }\n"                                                \
    "admin: { listen: \"127.0.0.1:%u\", token: sixteen-letters- }\n"

enum { ANSWER_SIZE = 32 * 1024, LARGE_SIZE = 64 * 1024, WAIT_MS = 8 * 1000 };

struct visit {
    struct harness *harness;
    struct admin_config config;
    struct admin *admin;
    char answer[ANSWER_SIZE];
};

static struct visit visit;

static enum weir_status start(unsigned port, struct weir_error *err)
{
    char text[512];

    (void)snprintf(text, sizeof text, TOPOLOGY, port);
    harness_create(visit.harness, text);
    visit.config = (struct admin_config){.topology = visit.harness->topology,
                                         .pipeline = visit.harness->pipeline,
                                         .handler = &visit.harness->handler};
    return admin_start(&visit.config, &visit.admin, err);
}

static int setup(void **state)
{
    visit = (struct visit){0};
    if (harness_setup(state) != 0)
        return -1;
    visit.harness = *state;
    return start(0, NULL) == WEIR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    admin_stop(visit.admin);
    return harness_teardown(state);
}

static int come(void)
{
    const struct sockaddr_in there = {
        .sin_family = AF_INET,
        .sin_port = htons((in_port_t)admin_port(visit.admin)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&there, sizeof there),
                     0);
    return fd;
}

static void say(int fd, const char *text)
{
    size_t size = strlen(text);

    while (size > 0) {
        const ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);

        if (sent < 0)
            return; /* it is cut, which the reader sees */
        text += sent;
        size -= (size_t)sent;
    }
}

/* What comes until `until` is in it, or the end. */
static void hear(int fd, const char *until)
{
    size_t used = 0;

    visit.answer[0] = '\0';
    while (!until || !strstr(visit.answer, until)) {
        struct pollfd one = {.fd = fd, .events = POLLIN};
        ssize_t size;

        if (poll(&one, 1, WAIT_MS) != 1)
            fail_msg("nothing came after: %s", visit.answer);
        size = recv(fd, visit.answer + used, ANSWER_SIZE - 1 - used, 0);
        if (size <= 0)
            break;
        used += (size_t)size;
        visit.answer[used] = '\0';
    }
}

static void assert_answer(const char *begin)
{
    if (strncmp(visit.answer, begin, strlen(begin)) != 0)
        fail_msg("not `%s`, but: %s", begin, visit.answer);
}

/* As a probe does it. */
static void assert_still_served(void)
{
    const int fd = come();

    say(fd, "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: "
            "close\r\n\r\n");
    hear(fd, NULL);
    (void)close(fd);
    assert_answer("HTTP/1.1 200 ");
    assert_non_null(strstr(visit.answer, "\r\n\r\nlive\n"));
}

static void a_port_in_use_is_refused_with_its_key(void **state)
{
    struct harness *other = NULL, *mine = visit.harness;
    struct admin *first = visit.admin;
    const unsigned port = admin_port(first);
    struct weir_error err = {0};
    char where[64];

    (void)state;
    assert_int_equal(harness_setup((void **)&other), 0);
    visit.harness = other;
    assert_int_equal(start(port, &err), WEIR_REJECT);
    assert_null(visit.admin);
    (void)snprintf(where, sizeof where, "admin.listen: 127.0.0.1:%u is in use",
                   port);
    assert_non_null(strstr(err.text, where));
    assert_int_equal(harness_teardown((void **)&other), 0);
    visit.harness = mine;
    visit.admin = first;
    assert_still_served();
}

static void answers_say_that_nothing_of_them_runs_in_a_browser(void **state)
{
    const int fd = come();

    (void)state;
    say(fd, "GET /api/v1/ledger HTTP/1.1\r\nHost: localhost\r\n\r\n");
    hear(fd, "\r\n\r\n");
    (void)close(fd);
    assert_answer("HTTP/1.1 200 ");
    assert_non_null(strstr(visit.answer, "Content-Security-Policy: "));
    assert_non_null(strstr(visit.answer, "default-src 'none'"));
    assert_non_null(strstr(visit.answer, "X-Content-Type-Options: nosniff"));
    assert_null(strstr(visit.answer, "Access-Control-Allow"));
}

static void what_is_no_request_gets_no_page(void **state)
{
    static const char *const odd[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET /livez HTTP/1.1\r\n\r\n", /* no Host */
        "GET /livez HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "POST /api/v1/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
        "-5\r\n\r\n",
        "POST /api/v1/pause HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
        "chunked\r\n\r\nZZ\r\n"};

    (void)state;
    for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        const int fd = come();

        ssize_t size;

        say(fd, odd[i]);
        (void)shutdown(fd, SHUT_WR);
        assert_still_served();
        size = recv(fd, visit.answer, ANSWER_SIZE - 1, MSG_DONTWAIT);
        (void)close(fd);
        visit.answer[size > 0 ? size : 0] = '\0';
        assert_null(strstr(visit.answer, "HTTP/1.1 200 "));
    }
}

static void a_request_that_is_too_large_is_refused(void **state)
{
    char *text = calloc(1, LARGE_SIZE);
    int fd = come();

    (void)state;
    assert_non_null(text);
    (void)snprintf(text, 200, "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ");
    memset(text + strlen(text), 'x', 60000);
    say(fd, text);
    hear(fd, "\r\n\r\n");
    (void)close(fd);
    assert_answer("HTTP/1.1 431 ");

    (void)snprintf(text, 200,
                   "POST /api/v1/rate_limit HTTP/1.1\r\nHost: localhost\r\n"
                   "Authorization: Bearer sixteen-letters-\r\n"
                   "Content-Length: 60000\r\n\r\n{");
    fd = come();
    say(fd, text);
    hear(fd, "\r\n\r\n");
    (void)close(fd);
    free(text);
    assert_answer("HTTP/1.1 413 ");
    assert_still_served();
}

static void a_body_without_an_end_is_cut(void **state)
{
    static const char chunk[] = "400\r\n%01024d\r\n";
    char text[1100];
    const int fd = come();

    (void)state;
    say(fd, "POST /api/v1/rate_limit HTTP/1.1\r\nHost: localhost\r\n"
            "Authorization: Bearer sixteen-letters-\r\n"
            "Transfer-Encoding: chunked\r\n\r\n");
    (void)snprintf(text, sizeof text, chunk, 0);
    for (unsigned i = 0; i < 8; i++)
        say(fd, text);
    hear(fd, NULL);
    (void)close(fd);
    assert_null(strstr(visit.answer, "HTTP/1.1 200 "));
    assert_still_served();
}

static void a_body_in_pieces_is_read_whole(void **state)
{
    const int fd = come();

    (void)state;
    say(fd, "POST /api/v1/rate_limit HTTP/1.1\r\nHost: localhost\r\n"
            "Authorization: Bearer sixteen-letters-\r\n"
            "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"mes\r\n");
    say(fd, "b\r\nsages\": 5 }\r\n0\r\n\r\n");
    hear(fd, "}");
    (void)close(fd);
    assert_answer("HTTP/1.1 200 ");
    assert_non_null(strstr(visit.answer, "\"messages\":5"));
}

/* More than may stay, with half a request each: a probe gets through. */
static void a_crowd_that_says_nothing_shuts_nobody_out(void **state)
{
    int crowd[2 * GUESTS_MAX];

    (void)state;
    for (unsigned i = 0; i < 2 * GUESTS_MAX; i++) {
        crowd[i] = come();
        if (i % 2 == 0)
            say(crowd[i], "GET /livez HTTP/1.1\r\nHost: loc");
    }
    assert_still_served();
    hear(crowd[0], NULL); /* the oldest was cut */
    for (unsigned i = 0; i < 2 * GUESTS_MAX; i++)
        (void)close(crowd[i]);
    assert_still_served();
}

static void a_connection_ends_after_so_many_requests(void **state)
{
    const int fd = come();
    unsigned count = 0;

    (void)state;
    do {
        say(fd, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
        hear(fd, "\r\n\r\nlive\n");
        assert_answer("HTTP/1.1 200 ");
    } while (++count < 2 * GUEST_REQUESTS &&
             !strstr(visit.answer, "Connection: close"));
    (void)close(fd);
    assert_int_equal(count, GUEST_REQUESTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_port_in_use_is_refused_with_its_key),
        TEST(answers_say_that_nothing_of_them_runs_in_a_browser),
        TEST(what_is_no_request_gets_no_page),
        TEST(a_request_that_is_too_large_is_refused),
        TEST(a_body_without_an_end_is_cut),
        TEST(a_body_in_pieces_is_read_whole),
        TEST(a_crowd_that_says_nothing_shuts_nobody_out),
        TEST(a_connection_ends_after_so_many_requests),
    };

    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
