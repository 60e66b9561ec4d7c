/*
 * ask.c - one question to a running weir.
 *
 * One request, one answer, and no library: `weir health` runs every ten seconds
 * in every container and should start at once, and what answers is our own.
 * Everything has one deadline, so that a weir that listens and does not answer
 * is told from one that does.
 *
 * Threads: none.
 */
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arguments.h"
#include "clock.h"
#include "health_variable.h"
#include "verb.h"

enum { FIRST_SIZE = 16 * 1024, MAX_SIZE = 64 * 1024 * 1024 };

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

/* Of malloc(), with a NUL; NULL: not to its end by the deadline, or no memory.
 */
static char *read_all(int fd, int64_t deadline_us)
{
    size_t used = 0, room = FIRST_SIZE;
    char *text = malloc(room);

    while (text && wait_for(fd, POLLIN, deadline_us)) {
        const ssize_t size = recv(fd, text + used, room - used - 1, 0);

        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (size < 0)
            break;
        used += (size_t)size;
        text[used] = '\0';
        if (size == 0)
            return text;
        if (used + 1 == room && room < MAX_SIZE) {
            char *more = realloc(text, 2 * room);

            if (!more)
                break;
            text = more;
            room *= 2;
        }
        if (used + 1 == room)
            break;
    }
    free(text);
    return NULL;
}

/* False: it is no answer to such a question. */
static bool parse(struct ask_reply *reply)
{
    char *body = strstr(reply->text, "\r\n\r\n");

    if (strncmp(reply->text, "HTTP/1.", 7) != 0 || strlen(reply->text) < 12 ||
        !body)
        return false;
    reply->status = atoi(reply->text + 9);
    reply->body = body + 4;
    return true;
}

static char *talk(int fd, const char *path, int64_t deadline_us)
{
    char request[256];
    const int size = snprintf(request, sizeof request,
                              "GET %s HTTP/1.1\r\nHost: localhost\r\n"
                              "Connection: close\r\n\r\n",
                              path);

    if (send(fd, request, (size_t)size, MSG_NOSIGNAL) != size)
        return NULL;
    return read_all(fd, deadline_us);
}

enum weir_status ask(const struct endpoint *endpoint, const char *address,
                     const char *path, int64_t timeout_us,
                     struct ask_reply *ret_reply, struct weir_error *err)
{
    const int64_t deadline_us = clock_after_us(timeout_us);
    const int fd = connect_to(endpoint, deadline_us);
    struct ask_reply reply = {.status = 0};

    if (fd < 0)
        return weir_fail(err, WEIR_RETRY, "nothing answers on %s: %s", address,
                         strerror(errno));
    reply.text = talk(fd, path, deadline_us);
    (void)close(fd);
    if (!reply.text)
        return weir_fail(err, WEIR_RETRY, "no whole answer from %s within %g s",
                         address, (double)timeout_us / (double)CLOCK_SECOND_US);
    if (!parse(&reply)) {
        free(reply.text);
        return weir_fail(err, WEIR_RETRY,
                         "what listens on %s answers something else than a "
                         "weir does",
                         address);
    }
    *ret_reply = reply;
    return WEIR_OK;
}

enum weir_status ask_where(const char *given, const char **ret_address,
                           struct endpoint *ret_endpoint,
                           struct weir_error *err)
{
    const char *address = given ? given : getenv(HEALTH_VARIABLE);

    if (!address || !address[0])
        address = HEALTH_DEFAULT;
    *ret_address = address;
    return endpoint_parse(address, ret_endpoint, err);
}

int ask_page(const struct verb *verb, const char *given, const char *path,
             int64_t timeout_us, const char **ret_address,
             struct ask_reply *ret_reply)
{
    struct endpoint endpoint;
    struct weir_error err;

    if (ask_where(given, ret_address, &endpoint, &err) != WEIR_OK)
        return usage_error(verb, "%s", err.text);
    if (ask(&endpoint, *ret_address, path, timeout_us, ret_reply, &err) ==
        WEIR_OK)
        return VERB_EXIT_OK;
    (void)fprintf(stderr, "weir %s: %s\n", verb->name, err.text);
    return VERB_EXIT_UNAVAILABLE;
}
