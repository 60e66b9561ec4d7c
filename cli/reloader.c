/*
 * reloader.c - reads the topology file of a run again when somebody asks.
 *
 *     SIGHUP ------ask--->  asked 3
 *     POST reload --ask-->  asked 4     its thread: serves = asked; reads,
 *                           served 2                checks, applies;
 *                                                   served = serves
 *
 * A file may be on a disk that doesn't answer, so neither the thread that takes
 * signals nor the one that answers HTTP reads it.  Who asks gets a number, and
 * has been served by a reading that began later: all who asked during one are
 * served together by the next, so many at once cost two.
 *
 * A thread that is stuck in read() can't be ended.  Then nothing is freed, and
 * the process leaves by _exit(), as with a handler that is stuck.
 *
 * Threads: its own reads; ask on any.
 */
#include "reloader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "reload.h"
#include "thread.h"

#define STOP_US CLOCK_SECOND_US

struct reloader {
    struct reloader_config config;
    pthread_t thread;
    pthread_mutex_t lock;   /* of what follows */
    pthread_cond_t changed; /* asked, served, or over */
    uint64_t asked, served;
    const char *by; /* who asked last */
    bool is_begun, is_stopping, is_over;
};

static void read_again(struct reloader *reloader, const char *by)
{
    const struct reloader_config *config = &reloader->config;
    struct topology *next = NULL;
    struct weir_error err = {0};

    if (loaded_read_again(config->loaded, config->request, &next, &err) ==
        WEIR_OK)
        (void)pipeline_reload(config->pipeline, next, by, &err);
    else
        pipeline_refuse_reload(config->pipeline, by, err.text);
    topology_destroy(next);
}

static void *reloader_main(void *opaque)
{
    struct reloader *reloader = opaque;
    const struct log_place place = {
        .pipeline = reloader->config.loaded->topology->name, .stage = "reload"};

    log_set_place(&place);
    (void)pthread_mutex_lock(&reloader->lock);
    while (!reloader->is_stopping) {
        const uint64_t serves = reloader->asked;
        const char *by = reloader->by;

        if (serves == reloader->served) {
            (void)pthread_cond_wait(&reloader->changed, &reloader->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&reloader->lock);
        read_again(reloader, by);
        (void)pthread_mutex_lock(&reloader->lock);
        reloader->served = serves;
        (void)pthread_cond_broadcast(&reloader->changed);
    }
    reloader->is_over = true;
    (void)pthread_cond_broadcast(&reloader->changed);
    (void)pthread_mutex_unlock(&reloader->lock);
    return NULL;
}

enum weir_status reloader_create(const struct reloader_config *config,
                                 struct reloader **ret_reloader,
                                 struct weir_error *err)
{
    struct reloader *reloader = calloc(1, sizeof *reloader);

    if (!reloader)
        return weir_fail(err, WEIR_RETRY, "no memory");
    reloader->config = *config;
    (void)pthread_mutex_init(&reloader->lock, NULL);
    clock_cond_init(&reloader->changed);
    *ret_reloader = reloader;
    return WEIR_OK;
}

enum weir_status reloader_begin(struct reloader *reloader,
                                struct weir_error *err)
{
    const int rc =
        thread_start(&reloader->thread, "weir-reload", reloader_main, reloader);

    if (rc != 0)
        return weir_fail(err, WEIR_RETRY, "cannot start a thread: %s",
                         strerror(rc));
    reloader->is_begun = true;
    return WEIR_OK;
}

/* Returns the number that is to be served. */
static uint64_t ask_locked(struct reloader *reloader, const char *by)
{
    reloader->by = by;
    reloader->asked++;
    (void)pthread_cond_broadcast(&reloader->changed);
    return reloader->asked;
}

void reloader_ask(struct reloader *reloader, const char *by)
{
    (void)pthread_mutex_lock(&reloader->lock);
    (void)ask_locked(reloader, by);
    (void)pthread_mutex_unlock(&reloader->lock);
}

enum weir_status reloader_ask_and_wait(struct reloader *reloader,
                                       const char *by, int64_t deadline_us)
{
    const struct timespec until = clock_timespec(deadline_us);
    uint64_t number;
    bool is_served;
    int rc = 0;

    (void)pthread_mutex_lock(&reloader->lock);
    number = ask_locked(reloader, by);
    while (reloader->served < number && rc == 0)
        rc =
            pthread_cond_timedwait(&reloader->changed, &reloader->lock, &until);
    is_served = reloader->served >= number;
    (void)pthread_mutex_unlock(&reloader->lock);
    return is_served ? WEIR_OK : WEIR_AGAIN;
}

/* False: it is stuck. */
static bool end_thread(struct reloader *reloader)
{
    const struct timespec until = clock_timespec(clock_after_us(STOP_US));
    bool is_over;
    int rc = 0;

    if (!reloader->is_begun)
        return true;
    (void)pthread_mutex_lock(&reloader->lock);
    reloader->is_stopping = true;
    (void)pthread_cond_broadcast(&reloader->changed);
    while (!reloader->is_over && rc == 0)
        rc =
            pthread_cond_timedwait(&reloader->changed, &reloader->lock, &until);
    is_over = reloader->is_over;
    (void)pthread_mutex_unlock(&reloader->lock);
    if (is_over)
        (void)pthread_join(reloader->thread, NULL);
    return is_over;
}

enum weir_status reloader_stop(struct reloader *reloader)
{
    if (!reloader)
        return WEIR_OK;
    if (!end_thread(reloader))
        return WEIR_AGAIN;
    (void)pthread_cond_destroy(&reloader->changed);
    (void)pthread_mutex_destroy(&reloader->lock);
    free(reloader);
    return WEIR_OK;
}
