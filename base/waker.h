/*
 * waker.h - cuts a wait of another thread short, at any time.
 */
#ifndef WEIR_BASE_WAKER_H
#define WEIR_BASE_WAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <weir/status.h>

/* Zeroed is ready: waker_wake() may come before waker_open(). */
struct waker {
    atomic_int descriptor; /* of an eventfd, plus one; 0: not open */
    atomic_uint callers;   /* inside waker_wake() */
    atomic_bool is_pending;
};

#define WAKER_READY (1U << 0) /* the file is ready, or broken */
#define WAKER_WOKEN (1U << 1) /* waker_wake() was called; taken */

WEIR_MUST_USE
enum weir_status waker_open(struct waker *waker, struct weir_error *err);
void waker_close(struct waker *waker); /* also when not open */

/* Ends the wait that is under way, or else the next one, also one after a
 * later waker_open().  Any thread; doesn't block. */
void waker_wake(struct waker *waker);

/* Waits until `fd` (-1: none) is ready for the poll() `events`, or a wake, or
 * the deadline; returns WAKER_ bits, 0 at the deadline.  Its owner only. */
unsigned waker_wait(struct waker *waker, int fd, short events,
                    int64_t deadline_us);

#endif
