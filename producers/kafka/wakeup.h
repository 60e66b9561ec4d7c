/*
 * wakeup.h - another thread ends our sleep.
 */
#ifndef WEIR_KAFKA_WAKEUP_H
#define WEIR_KAFKA_WAKEUP_H

#include <pthread.h>
#include <stdbool.h>

#include <weir/status.h>

/* Zeroed is closed: a wake-up that comes then is kept for the next open. */
struct wakeup {
    pthread_mutex_t lock; /* all zero is PTHREAD_MUTEX_INITIALIZER */
    bool is_open, is_pending;
    int fd;
};

WEIR_MUST_USE
enum weir_status wakeup_open(struct wakeup *wakeup, struct weir_error *err);
void wakeup_close(struct wakeup *wakeup); /* also when it isn't open */

/* Any thread. */
void wakeup_send(struct wakeup *wakeup);

/* True when one had come; forgets it.  Readable `fd` says that one is here. */
bool wakeup_take(struct wakeup *wakeup);

#endif
