/*
 * dial.c - a TCP connection, or the operating system's reason why not.
 *
 * The library connects by itself too, but reports "a socket error" for a
 * refused connection, an unreachable network and a lack of descriptors alike,
 * and can't be woken meanwhile.
 *
 * Threads: no state.
 */
#include "dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

/* How long written data may stay unacknowledged before the link is dead. */
enum { USER_TIMEOUT_MS = 30000 };

void amqp_dial_tune(int socket)
{
    const unsigned timeout_ms = USER_TIMEOUT_MS;
    const int on = 1;

    (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
                     sizeof(timeout_ms));
}

void amqp_dial_set_patient(int socket)
{
    const unsigned no_timeout = 0;

    (void)setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &no_timeout,
                     sizeof(no_timeout));
}

/* 0, or why the connection did not come about. */
static int await_connection(int fd, int64_t deadline_us,
                            struct amqp_guard *guard)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLOUT},
                            {.fd = amqp_guard_fd(guard), .events = POLLIN}};
    int error = 0;
    socklen_t size = sizeof(error);

    while (fds[0].revents == 0) {
        const int ms = clock_until_ms(deadline_us, 60000);

        if (ms == 0)
            return ETIMEDOUT;
        if (poll(fds, 2, ms) < 0 && errno != EINTR)
            return errno;
        if (fds[0].revents == 0 && fds[1].revents != 0)
            return ECANCELED;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return errno;
    return error;
}

static int connect_to(const struct addrinfo *address, int64_t deadline_us,
                      struct amqp_guard *guard, int *ret_socket)
{
    const int fd = socket(address->ai_family,
                          address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                          address->ai_protocol);
    int error = 0;

    if (fd < 0)
        return errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
        error = errno == EINPROGRESS ? await_connection(fd, deadline_us, guard)
                                     : errno;
    if (error) {
        close(fd);
        return error;
    }
    amqp_dial_tune(fd);
    *ret_socket = fd;
    return 0;
}

enum weir_status amqp_dial(const char *host, int port, int64_t deadline_us,
                           struct amqp_guard *guard, int *ret_socket,
                           struct weir_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *addresses = NULL;
    char service[16];
    int error;

    (void)snprintf(service, sizeof(service), "%d", port);
    error = getaddrinfo(host, service, &hints, &addresses);
    if (error)
        return weir_fail(
            err, WEIR_RETRY,
            "the host %s does not resolve (%s): check the "
            "url",
            host, error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    error = ENOENT;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next) {
        error = connect_to(a, deadline_us, guard, ret_socket);
        if (error == 0 || error == ECANCELED)
            break;
    }
    freeaddrinfo(addresses);
    if (error == 0)
        return WEIR_OK;
    if (error == ECANCELED)
        return weir_fail(err, WEIR_RETRY, "connecting to %s:%d was interrupted",
                         host, port);
    return weir_fail(err, WEIR_RETRY,
                     "cannot connect to %s:%d: %s: is the broker "
                     "running there, and is this its port?",
                     host, port, strerror(error));
}
