/*
 * errand.c - a thread that goes outside, and may be late.
 *
 * A name server or a TLS library can hold a thread for half a minute, and there
 * is no way to call it back.  A shutdown has one deadline for all; so a thread
 * that is outside when its patience is over is left there:
 *
 *     inside --go_out()--> outside --come_back()--> inside: goes on
 *                             |
 *                             +-- stop(), too late --> left: it has only what
 *                                                      is its own, frees that
 *
 * Invariant: whoever finds under the lock that the other one is gone frees.
 *
 * Threads: its own runs run(); stop() its owner's.
 */
#include "errand.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "thread.h"

struct errand {
    struct errand_config config;
    pthread_t thread;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool is_asked_to_end, is_outside, is_left, is_over;
};

static void destroy(struct errand *errand)
{
    errand->config.destroy(errand->config.self);
    (void)pthread_cond_destroy(&errand->changed);
    (void)pthread_mutex_destroy(&errand->lock);
    free(errand);
}

static void *errand_main(void *opaque)
{
    struct errand *errand = opaque;
    const struct log_place place = {.pipeline = errand->config.pipeline,
                                    .stage = "telemetry"};
    const struct log_place nowhere = {0};
    bool is_left;

    log_set_place(&place);
    thread_give_way();
    errand->config.run(errand->config.self, errand);
    log_set_place(&nowhere);
    (void)pthread_mutex_lock(&errand->lock);
    errand->is_over = true;
    is_left = errand->is_left;
    (void)pthread_cond_broadcast(&errand->changed);
    (void)pthread_mutex_unlock(&errand->lock);
    if (is_left)
        destroy(errand);
    return NULL;
}

enum weir_status errand_start(const struct errand_config *config,
                              struct errand **ret_errand,
                              struct weir_error *err)
{
    struct errand *errand = calloc(1, sizeof *errand);
    int rc;

    if (!errand)
        return weir_fail(err, WEIR_RETRY, "no memory");
    errand->config = *config;
    (void)pthread_mutex_init(&errand->lock, NULL);
    clock_cond_init(&errand->changed);
    rc = thread_start(&errand->thread, config->name, errand_main, errand);
    if (rc != 0) {
        (void)pthread_cond_destroy(&errand->changed);
        (void)pthread_mutex_destroy(&errand->lock);
        free(errand);
        return weir_fail(err, WEIR_RETRY, "cannot start a thread: %s",
                         strerror(rc));
    }
    *ret_errand = errand;
    return WEIR_OK;
}

static void wait_locked(struct errand *errand, int64_t deadline_us)
{
    const struct timespec until = clock_timespec(deadline_us);

    (void)pthread_cond_timedwait(&errand->changed, &errand->lock, &until);
}

void errand_stop(struct errand *errand, int64_t patience_us)
{
    const int64_t deadline_us = clock_after_us(patience_us);
    bool is_over;

    if (!errand)
        return;
    (void)pthread_mutex_lock(&errand->lock);
    errand->is_asked_to_end = true;
    (void)pthread_cond_broadcast(&errand->changed);
    while (!errand->is_over &&
           (!errand->is_outside || clock_now_us() < deadline_us)) {
        if (errand->is_outside)
            wait_locked(errand, deadline_us);
        else
            (void)pthread_cond_wait(&errand->changed, &errand->lock);
    }
    is_over = errand->is_over;
    errand->is_left = !is_over;
    if (!is_over)
        (void)pthread_detach(errand->thread);
    (void)pthread_mutex_unlock(&errand->lock);
    if (!is_over)
        return;
    (void)pthread_join(errand->thread, NULL);
    destroy(errand);
}

bool errand_wait(struct errand *errand, int64_t deadline_us)
{
    bool is_asked;

    (void)pthread_mutex_lock(&errand->lock);
    while (!errand->is_asked_to_end && clock_now_us() < deadline_us)
        wait_locked(errand, deadline_us);
    is_asked = errand->is_asked_to_end;
    (void)pthread_mutex_unlock(&errand->lock);
    return is_asked;
}

void errand_go_out(struct errand *errand)
{
    (void)pthread_mutex_lock(&errand->lock);
    errand->is_outside = true;
    (void)pthread_cond_broadcast(&errand->changed);
    (void)pthread_mutex_unlock(&errand->lock);
}

bool errand_come_back(struct errand *errand)
{
    bool is_left;

    (void)pthread_mutex_lock(&errand->lock);
    errand->is_outside = false;
    is_left = errand->is_left;
    (void)pthread_mutex_unlock(&errand->lock);
    return !is_left;
}
