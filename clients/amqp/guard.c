/*
 * guard.c - the one thing that another thread may do to a connection: cut it.
 *
 * rabbitmq-c blocks in its synchronous calls, and a connection belongs to one
 * thread.  shutdown() on the socket is a call to the kernel, not to the
 * library, and ends any of them at once.  The lock keeps the descriptor from
 * being closed, and given to somebody else, between its look-up and its use.
 *
 * Threads: wake() from any; the rest from the connection's own.
 */
#include "guard.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void signal_locked(struct amqp_guard *guard)
{
    const uint64_t one = 1;

    /* A full counter is a signal that is already there. */
    if (guard->event_plus_one && !guard->is_napping &&
        write(guard->event_plus_one - 1, &one, sizeof(one)) < 0)
        return;
}

enum weir_status amqp_guard_open(struct amqp_guard *guard,
                                 struct weir_error *err)
{
    const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (fd < 0)
        return weir_fail(err, WEIR_RETRY, "no descriptor to wake on: %s",
                         strerror(errno));
    pthread_mutex_lock(&guard->lock);
    guard->event_plus_one = fd + 1;
    if (guard->is_woken)
        signal_locked(guard);
    pthread_mutex_unlock(&guard->lock);
    return WEIR_OK;
}

void amqp_guard_close(struct amqp_guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    if (guard->event_plus_one)
        close(guard->event_plus_one - 1);
    guard->event_plus_one = 0;
    guard->socket_plus_one = 0;
    pthread_mutex_unlock(&guard->lock);
}

int amqp_guard_fd(const struct amqp_guard *guard)
{
    return guard->event_plus_one - 1;
}

void amqp_guard_watch(struct amqp_guard *guard, int socket)
{
    pthread_mutex_lock(&guard->lock);
    guard->socket_plus_one = socket + 1;
    if (guard->is_woken)
        shutdown(socket, SHUT_RDWR);
    pthread_mutex_unlock(&guard->lock);
}

void amqp_guard_unwatch(struct amqp_guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    guard->socket_plus_one = 0;
    pthread_mutex_unlock(&guard->lock);
}

bool amqp_guard_take(struct amqp_guard *guard)
{
    uint64_t count;
    bool was_woken;

    pthread_mutex_lock(&guard->lock);
    was_woken = guard->is_woken;
    guard->is_woken = false;
    if (guard->event_plus_one &&
        read(guard->event_plus_one - 1, &count, sizeof(count)) > 0)
        was_woken = true;
    pthread_mutex_unlock(&guard->lock);
    return was_woken;
}

bool amqp_guard_nap(struct amqp_guard *guard, int64_t span_us)
{
    const struct timespec span = {.tv_nsec = span_us * 1000};
    bool was_woken;

    pthread_mutex_lock(&guard->lock);
    was_woken = guard->is_woken;
    guard->is_napping = !was_woken;
    pthread_mutex_unlock(&guard->lock);
    if (was_woken)
        return amqp_guard_take(guard);
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
    pthread_mutex_lock(&guard->lock);
    was_woken = guard->is_woken; /* and not signalled */
    guard->is_woken = false;
    guard->is_napping = false;
    pthread_mutex_unlock(&guard->lock);
    return was_woken;
}

bool amqp_guard_is_woken(struct amqp_guard *guard)
{
    bool is_woken;

    pthread_mutex_lock(&guard->lock);
    is_woken = guard->is_woken;
    pthread_mutex_unlock(&guard->lock);
    return is_woken;
}

void amqp_guard_wake(struct amqp_guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    guard->is_woken = true;
    signal_locked(guard);
    if (guard->socket_plus_one)
        shutdown(guard->socket_plus_one - 1, SHUT_RDWR);
    pthread_mutex_unlock(&guard->lock);
}
