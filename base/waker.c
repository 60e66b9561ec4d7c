/*
 * waker.c - cuts a wait of another thread short, at any time.
 *
 * A connector waits in poll(2) for its file and for an eventfd.  Whoever wakes
 * it knows nothing of its life cycle: the wake may come before the eventfd is
 * made, and while it is being closed.
 *
 *     waker_wake()                      waker_open()
 *       is_pending = true                 descriptor = fd
 *       descriptor set? write             is_pending? write
 *
 * Invariants:
 *   (1) a wake is never lost: each side writes its own word first and reads the
 *       other's then, so at least one of them sees both;
 *   (2) nobody writes to a descriptor that was closed: waker_close() takes it
 *       away first and then waits for the callers that may still hold it.
 *
 * Why no condition variable: a connector that waits for a socket can't wait for
 * one at the same time.
 *
 * Threads: waker_wake() any; all else the owner's.  The atomics are
 * sequentially consistent; (1) pairs `is_pending` with `descriptor`, (2) pairs
 * `descriptor` with `callers`.
 */
#include "waker.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"

static void notify(int fd)
{
    const uint64_t one = 1;

    /* Only fails when the counter is full: then it is readable already. */
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

enum weir_status waker_open(struct waker *waker, struct weir_error *err)
{
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return weir_fail(err, WEIR_RETRY, "cannot make an eventfd: %s",
                         strerror(errno));
    atomic_store(&waker->descriptor, fd + 1);
    if (atomic_load(&waker->is_pending))
        notify(fd);
    return WEIR_OK;
}

void waker_close(struct waker *waker)
{
    const int fd = atomic_exchange(&waker->descriptor, 0) - 1;

    if (fd < 0)
        return;
    while (atomic_load(&waker->callers) > 0)
        sched_yield();
    close(fd);
}

void waker_wake(struct waker *waker)
{
    int fd;

    atomic_fetch_add(&waker->callers, 1U);
    atomic_store(&waker->is_pending, true);
    fd = atomic_load(&waker->descriptor) - 1;
    if (fd >= 0)
        notify(fd);
    atomic_fetch_sub(&waker->callers, 1U);
}

/* True when there was a wake to take. */
static bool take(struct waker *waker, int fd)
{
    uint64_t wakes;

    atomic_store(&waker->is_pending, false);
    return read(fd, &wakes, sizeof wakes) == (ssize_t)sizeof wakes;
}

unsigned waker_wait(struct waker *waker, int fd, short events,
                    int64_t deadline_us)
{
    const int event_fd = atomic_load(&waker->descriptor) - 1;
    struct pollfd files[] = {{.fd = event_fd, .events = POLLIN},
                             {.fd = fd, .events = events}};
    unsigned bits = 0;
    int count;

    do {
        const int left_ms = clock_until_ms(deadline_us, INT_MAX);

        count = poll(files, 2, left_ms);
    } while (count < 0 && errno == EINTR);
    if (files[0].revents && take(waker, event_fd))
        bits |= WAKER_WOKEN;
    if (count > 0 && files[1].revents)
        bits |= WAKER_READY;
    return bits;
}
