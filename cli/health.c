/*
 * health.c - weir health: asks a running weir whether it does its work.
 *
 * One request and no library: what runs once in ten seconds in every container
 * should start at once.  Everything has one deadline, so that a weir that
 * listens and does not answer is not healthy, too.
 *
 * Threads: none.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arguments.h"
#include "clock.h"
#include "endpoint.h"
#include "health_variable.h"
#include "verb.h"

enum { ANSWER_MAX = 64 * 1024 };

struct health_values {
    const char *address;
    int64_t timeout_us;
    bool is_live;
};

static const struct argument health_options[] = {
    {"--address", "ADDRESS", ARGUMENT_TEXT,
     offsetof(struct health_values, address),
     "where it listens ($WEIR_ADMIN, else 127.0.0.1:9464)"},
    {"--live", NULL, ARGUMENT_FLAG, offsetof(struct health_values, is_live),
     "asks whether its threads go on, and not whether it is ready"},
    {"--timeout", "DURATION", ARGUMENT_DURATION,
     offsetof(struct health_values, timeout_us), "for all of it (5s)"},
    {0},
};

/* False: the deadline. */
static bool wait_for(int fd, short events, int64_t deadline_us)
{
    struct pollfd one = {.fd = fd, .events = events};

    return poll(&one, 1, clock_until_ms(deadline_us, 60 * 1000)) == 1;
}

/* -1, and errno says why. */
static int connect_to(const struct endpoint *endpoint, int64_t deadline_us)
{
    const struct sockaddr *address =
        (const struct sockaddr *)&endpoint->address;
    const int fd = socket(address->sa_family,
                          SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof errno;
    int error = 0;

    if (fd < 0)
        return -1;
    if (connect(fd, address, endpoint->size) == 0)
        return fd;
    error = errno;
    if (error == EINPROGRESS) {
        error = ETIMEDOUT;
        if (wait_for(fd, POLLOUT, deadline_us))
            (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error == 0)
        return fd;
    (void)close(fd);
    errno = error;
    return -1;
}

/* What is read, with a NUL; false: not to its end by the deadline. */
static bool read_all(int fd, char out[ANSWER_MAX], int64_t deadline_us)
{
    size_t used = 0;

    while (used < ANSWER_MAX - 1 && wait_for(fd, POLLIN, deadline_us)) {
        const ssize_t size = recv(fd, out + used, ANSWER_MAX - 1 - used, 0);

        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (size < 0)
            return false;
        used += (size_t)size;
        out[used] = '\0';
        if (size == 0)
            return true;
    }
    return used == ANSWER_MAX - 1;
}

/* NULL: it is no answer to such a question.  The status, and the body. */
static const char *parse(const char *answer, int *ret_status)
{
    const char *body = strstr(answer, "\r\n\r\n");

    if (strncmp(answer, "HTTP/1.", 7) != 0 || strlen(answer) < 12 || !body)
        return NULL;
    *ret_status = atoi(answer + 9);
    return body + 4;
}

static bool ask(int fd, const struct health_values *values, int64_t deadline_us,
                char answer[ANSWER_MAX])
{
    char request[128];
    const int size = snprintf(request, sizeof request,
                              "GET %s HTTP/1.1\r\nHost: localhost\r\n"
                              "Connection: close\r\n\r\n",
                              values->is_live ? "/livez" : "/readyz");

    answer[0] = '\0';
    return send(fd, request, (size_t)size, MSG_NOSIGNAL) == size &&
           read_all(fd, answer, deadline_us);
}

static int judge(const char *answer, const char *address)
{
    int status = 0;
    const char *body = parse(answer, &status);

    if (!body || (status != 200 && status != 503)) {
        (void)fprintf(stderr,
                      "weir health: what listens on %s answers something else "
                      "than a weir does\n",
                      address);
        return VERB_EXIT_UNAVAILABLE;
    }
    (void)fputs(body, stdout);
    return status == 200 ? VERB_EXIT_OK : VERB_EXIT_UNAVAILABLE;
}

static int ask_there(const struct health_values *values, const char *address,
                     const struct endpoint *endpoint)
{
    const int64_t deadline_us = clock_after_us(values->timeout_us);
    const int fd = connect_to(endpoint, deadline_us);
    char *answer = malloc(ANSWER_MAX);
    int code = VERB_EXIT_UNAVAILABLE;

    if (fd < 0 || !answer)
        (void)fprintf(stderr, "weir health: nothing answers on %s: %s\n",
                      address, strerror(errno));
    else if (!ask(fd, values, deadline_us, answer))
        (void)fprintf(
            stderr, "weir health: no whole answer from %s within %g s\n",
            address, (double)values->timeout_us / (double)CLOCK_SECOND_US);
    else
        code = judge(answer, address);
    if (fd >= 0)
        (void)close(fd);
    free(answer);
    return code;
}

static int health_run(const struct verb *verb, const struct call *call)
{
    struct health_values values = {.timeout_us = 5 * CLOCK_SECOND_US};
    struct argument_texts operands;
    struct endpoint endpoint;
    struct weir_error err;
    const char *address;

    if (arguments_parse(verb, call, &values, &operands) != WEIR_OK)
        return VERB_EXIT_USAGE;
    address = values.address ? values.address : getenv(HEALTH_VARIABLE);
    if (!address || !address[0])
        address = HEALTH_DEFAULT;
    if (endpoint_parse(address, &endpoint, &err) != WEIR_OK)
        return usage_error(verb, "%s", err.text);
    return ask_there(&values, address, &endpoint);
}

const struct verb verb_health = {
    .name = "health",
    .operands = "",
    .summary = "asks a running weir whether it does its work",
    .text =
        "Exit codes: 0 ready; 69 not ready, with the reasons on standard "
        "output, or nobody\nanswers.  A weir answers where its topology has "
        "`admin:`, or where WEIR_ADMIN is set.\n",
    .example = "  weir health\n"
               "  weir health --address 127.0.0.1:9999\n"
               "  weir health --live\n",
    .options = health_options,
    .run = health_run,
};
