/*
 * guard.h - the one thing that another thread may do to a connection: cut it.
 */
#ifndef WEIR_CLIENTS_AMQP_GUARD_H
#define WEIR_CLIENTS_AMQP_GUARD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <weir/status.h>

/* Zeroed is ready, and stays valid between close and open. */
struct amqp_guard {
    pthread_mutex_t lock; /* glibc's and musl's initialiser is all zero */
    int event_plus_one;   /* 0: none */
    int socket_plus_one;  /* 0: wake() cuts nothing */
    bool is_woken;
    bool is_napping; /* wake() need not signal */
};

/* Makes the descriptor that wake() signals. */
WEIR_MUST_USE
enum weir_status amqp_guard_open(struct amqp_guard *guard,
                                 struct weir_error *err);
void amqp_guard_close(struct amqp_guard *guard);

/* Readable while woken; only between open and close. */
int amqp_guard_fd(const struct amqp_guard *guard);

/* Until unwatch(), wake() shuts `socket` down, at once if already woken. */
void amqp_guard_watch(struct amqp_guard *guard, int socket);
void amqp_guard_unwatch(struct amqp_guard *guard);

/* True when wake() was called since the last take(). */
bool amqp_guard_take(struct amqp_guard *guard);
bool amqp_guard_is_woken(struct amqp_guard *guard);

/*
 * Sleeps for `span_us`, less than a second, whatever happens meanwhile: then
 * wake() has nobody to wake, which costs it next to nothing.  True when it was
 * called since the last take(); so it is taken.
 */
bool amqp_guard_nap(struct amqp_guard *guard, int64_t span_us);

/* Any thread. */
void amqp_guard_wake(struct amqp_guard *guard);

#endif
