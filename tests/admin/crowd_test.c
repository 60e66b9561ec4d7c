/*
 * crowd_test.c - many who ask at once, served step by step, without a thread.
 */
#include "harness.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin.h"
#include "server.h"

#define TOPOLOGY                                                               \
    "producer: { SOURCE }\n"                                                   \
    "processors: { handler: linked }\n"                                        \
    "failure: { then: drop }\n"

enum { CROWD = 150, STEPS_MAX = 1000 };

struct asker {
    int fd;
    unsigned answers;
    bool is_over; /* its connection has ended */
    bool is_last; /* as its last answer said */
};

struct square {
    struct harness *harness;
    struct admin_config config;
    struct site site;
    struct server *server;
    struct sockaddr_in address;
    struct asker askers[CROWD];
};

static struct square square;

static int setup(void **state)
{
    struct server_config config = {.site = &square.site};
    socklen_t size = sizeof square.address;

    square = (struct square){0};
    if (harness_setup(state) != 0)
        return -1;
    square.harness = *state;
    harness_create(square.harness, TOPOLOGY);
    square.config = (struct admin_config){.topology = square.harness->topology,
                                          .pipeline = square.harness->pipeline,
                                          .handler = &square.harness->handler};
    square.site = (struct site){.config = &square.config, .is_loopback = true};
    config.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    square.address.sin_family = AF_INET;
    square.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(config.fd, (const struct sockaddr *)&square.address, size) != 0 ||
        getsockname(config.fd, (struct sockaddr *)&square.address, &size) !=
            0 ||
        listen(config.fd, SOMAXCONN) != 0)
        return -1;
    return server_open(&config, &square.server, NULL) == WEIR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    for (unsigned i = 0; i < CROWD; i++) {
        if (square.askers[i].fd > 0)
            (void)close(square.askers[i].fd);
    }
    server_close(square.server);
    return harness_teardown(state);
}

static void request(const struct asker *asker)
{
    static const char text[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

    (void)send(asker->fd, text, sizeof text - 1, MSG_NOSIGNAL);
}

/* It is let in by the system, and asks; nobody has seen it yet. */
static void come(struct asker *asker)
{
    *asker = (struct asker){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(connect(asker->fd,
                             (const struct sockaddr *)&square.address,
                             sizeof square.address),
                     0);
    assert_int_equal(fcntl(asker->fd, F_SETFL, O_NONBLOCK), 0);
    request(asker);
}

/* Takes an answer that is there, and asks again at once. */
static void look(struct asker *asker)
{
    char text[4096];
    const ssize_t size = recv(asker->fd, text, sizeof text - 1, 0);

    if (size == 0)
        asker->is_over = true;
    if (size <= 0)
        return;
    text[size] = '\0';
    assert_memory_equal(text, "HTTP/1.1 200 ", 13);
    asker->answers++;
    asker->is_last = strstr(text, "Connection: close") != NULL;
    request(asker);
}

static void step(unsigned count)
{
    server_serve(square.server, clock_now_us());
    for (unsigned i = 0; i < count; i++)
        look(&square.askers[i]);
}

static void whoever_is_alone_may_ask_again(void **state)
{
    unsigned steps = 0;

    (void)state;
    come(&square.askers[0]);
    while (square.askers[0].answers < 5 && steps++ < STEPS_MAX)
        step(1);
    assert_int_equal(square.askers[0].answers, 5);
    assert_false(square.askers[0].is_last);
}

/* All of a crowd that asks without a pause are answered in the order of their
 * coming, and none of them a second time before the last one. */
static void a_crowd_is_answered_in_turn(void **state)
{
    struct asker *last = &square.askers[CROWD - 1];
    unsigned steps = 0, answers = 0;

    (void)state;
    for (unsigned i = 0; i < CROWD; i++)
        come(&square.askers[i]);
    while (last->answers == 0 && steps++ < STEPS_MAX)
        step(CROWD);
    assert_int_equal(last->answers, 1);
    for (unsigned i = 0; i < CROWD; i++)
        answers += square.askers[i].answers;
    /* Those that came with the last ones may be faster than these. */
    assert_in_range(answers, CROWD, CROWD + 20);
    assert_true(square.askers[0].is_last);
    step(CROWD);
    assert_true(square.askers[0].is_over);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whoever_is_alone_may_ask_again),
        TEST(a_crowd_is_answered_in_turn),
    };

    return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
