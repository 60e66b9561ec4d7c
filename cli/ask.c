/*
 * ask.c - questions to a running weir.
 *
 * An address is what `admin.listen` takes, or a URL, for TLS.  Everything has
 * one deadline, so that a weir that listens and does not answer is told from
 * one that does.
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
#include "endpoint.h"
#include "health_variable.h"
#include "verb.h"

enum { FIRST_SIZE = 16 * 1024, MAX_SIZE = 64 * 1024 * 1024, TOKEN_MAX = 1024 };

struct ask {
    struct endpoint endpoint;
    const char *address;
    char *text; /* the last answer */
    int64_t timeout_us;
    char authorization[TOKEN_MAX + 32]; /* the header; "": none */
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

static const char *first_of(const char *given, const char *variable,
                            const char *fallback)
{
    const char *text = given ? given : getenv(variable);

    return text && text[0] ? text : fallback;
}

/* The first line of the file. */
static enum weir_status read_token(struct ask *ask, const char *path,
                                   struct weir_error *err)
{
    FILE *file = path ? fopen(path, "re") : NULL;
    char token[TOKEN_MAX] = "";

    if (!path)
        return WEIR_OK;
    if (file) {
        if (fgets(token, sizeof token, file))
            token[strcspn(token, "\r\n")] = '\0';
        (void)fclose(file);
    }
    if (token[0] == '\0')
        return weir_fail(err, WEIR_REJECT, "no token can be read from %s",
                         path);
    (void)snprintf(ask->authorization, sizeof ask->authorization,
                   "Authorization: Bearer %s", token);
    return WEIR_OK;
}

enum weir_status ask_open(const struct ask_options *options,
                          struct ask **ret_ask, struct weir_error *err)
{
    struct ask *ask = calloc(1, sizeof *ask);
    enum weir_status status;

    if (!ask)
        return weir_fail(err, WEIR_RETRY, "no memory");
    ask->timeout_us = options->timeout_us;
    ask->address = first_of(options->address, HEALTH_VARIABLE, HEALTH_DEFAULT);
    status = endpoint_parse(ask->address, &ask->endpoint, err);
    if (status == WEIR_OK)
        status = read_token(ask, options->token_file, err);
    if (status != WEIR_OK) {
        ask_close(ask);
        return status;
    }
    *ret_ask = ask;
    return WEIR_OK;
}

void ask_close(struct ask *ask)
{
    if (!ask)
        return;
    free(ask->text);
    explicit_bzero(ask->authorization, sizeof ask->authorization);
    free(ask);
}

const char *ask_address(const struct ask *ask)
{
    return ask->address;
}

static char *talk(const struct ask *ask, int fd, const char *path,
                  int64_t deadline_us)
{
    char request[512 + TOKEN_MAX];
    const int size =
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: localhost\r\n%s%s"
                 "Connection: close\r\n\r\n",
                 path, ask->authorization, ask->authorization[0] ? "\r\n" : "");

    if (send(fd, request, (size_t)size, MSG_NOSIGNAL) != size)
        return NULL;
    return read_all(fd, deadline_us);
}

/* False: it is no answer to such a question. */
static bool parse(const char *text, struct ask_reply *reply)
{
    const char *body = strstr(text, "\r\n\r\n");

    if (strncmp(text, "HTTP/1.", 7) != 0 || strlen(text) < 12 || !body)
        return false;
    reply->status = atoi(text + 9);
    reply->body = body + 4;
    return true;
}

enum weir_status ask(struct ask *ask, const char *path,
                     struct ask_reply *ret_reply, struct weir_error *err)
{
    const int64_t deadline_us = clock_after_us(ask->timeout_us);
    const int fd = connect_to(&ask->endpoint, deadline_us);
    struct ask_reply reply = {.status = 0};

    if (fd < 0)
        return weir_fail(err, WEIR_RETRY, "nothing answers on %s: %s",
                         ask->address, strerror(errno));
    free(ask->text);
    ask->text = talk(ask, fd, path, deadline_us);
    (void)close(fd);
    if (!ask->text)
        return weir_fail(err, WEIR_RETRY, "no whole answer from %s within %g s",
                         ask->address,
                         (double)ask->timeout_us / (double)CLOCK_SECOND_US);
    if (!parse(ask->text, &reply))
        return weir_fail(err, WEIR_RETRY,
                         "what listens on %s answers something else than a "
                         "weir does",
                         ask->address);
    *ret_reply = reply;
    return WEIR_OK;
}

int ask_page(const struct verb *verb, const struct ask_options *options,
             const char *path, struct ask **ret_ask,
             struct ask_reply *ret_reply)
{
    struct weir_error err;

    *ret_ask = NULL;
    if (ask_open(options, ret_ask, &err) != WEIR_OK)
        return usage_error(verb, "%s", err.text);
    if (ask(*ret_ask, path, ret_reply, &err) == WEIR_OK)
        return VERB_EXIT_OK;
    (void)fprintf(stderr, "weir %s: %s\n", verb->name, err.text);
    return VERB_EXIT_UNAVAILABLE;
}
