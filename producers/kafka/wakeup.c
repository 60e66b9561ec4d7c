/*
 * wakeup.c - another thread ends our sleep.
 *
 * wake() may come at any moment, also while close() gives the descriptor back
 * to the system, which may hand it to somebody else at once; hence the lock,
 * held for one system call.
 *
 * Threads: send() from any, everything else from the producer's.
 */
#include "wakeup.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum weir_status wakeup_open(struct wakeup *wakeup, struct weir_error *err)
{
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return weir_fail(err, WEIR_RETRY, "no descriptor: %s", strerror(errno));
    pthread_mutex_lock(&wakeup->lock);
    wakeup->fd = fd;
    wakeup->is_open = true;
    if (wakeup->is_pending)
        (void)eventfd_write(fd, 1);
    wakeup->is_pending = false;
    pthread_mutex_unlock(&wakeup->lock);
    return WEIR_OK;
}

void wakeup_close(struct wakeup *wakeup)
{
    pthread_mutex_lock(&wakeup->lock);
    if (wakeup->is_open)
        (void)close(wakeup->fd);
    wakeup->is_open = false;
    pthread_mutex_unlock(&wakeup->lock);
}

void wakeup_send(struct wakeup *wakeup)
{
    pthread_mutex_lock(&wakeup->lock);
    if (wakeup->is_open)
        (void)eventfd_write(wakeup->fd, 1);
    else
        wakeup->is_pending = true;
    pthread_mutex_unlock(&wakeup->lock);
}

bool wakeup_take(struct wakeup *wakeup)
{
    eventfd_t count;

    return wakeup->is_open && eventfd_read(wakeup->fd, &count) == 0;
}
