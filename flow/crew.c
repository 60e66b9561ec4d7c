/*
 * crew.c - how many of the workers that were started may work.
 *
 * Workers are threads with a handler's state, made before anything connects, so
 * that an init() that fails ends the start.  None is made or ended later: those
 * that are too many rest, with their state, and take nothing.  What waits is
 * bound to no worker, so nothing has to be handed over.
 *
 * Threads: any; what they look at is written under the lock, for those that
 * wait.
 */
#include "crew.h"

#include "clock.h"

void crew_init(struct crew *crew, unsigned count)
{
    *crew = (struct crew){.active = count};
    (void)pthread_mutex_init(&crew->lock, NULL);
    clock_cond_init(&crew->changed);
}

void crew_finish(struct crew *crew)
{
    (void)pthread_cond_destroy(&crew->changed);
    (void)pthread_mutex_destroy(&crew->lock);
}

void crew_set(struct crew *crew, unsigned active)
{
    (void)pthread_mutex_lock(&crew->lock);
    atomic_store_explicit(&crew->active, active, memory_order_relaxed);
    (void)pthread_cond_broadcast(&crew->changed);
    (void)pthread_mutex_unlock(&crew->lock);
}

void crew_release(struct crew *crew)
{
    (void)pthread_mutex_lock(&crew->lock);
    atomic_store_explicit(&crew->is_released, true, memory_order_relaxed);
    (void)pthread_cond_broadcast(&crew->changed);
    (void)pthread_mutex_unlock(&crew->lock);
}

static bool is_active(const struct crew *crew, unsigned index)
{
    return index < atomic_load_explicit(&crew->active, memory_order_relaxed) ||
           atomic_load_explicit(&crew->is_released, memory_order_relaxed);
}

bool crew_may_work(struct crew *crew, unsigned index, int64_t deadline_us)
{
    struct timespec until;

    if (is_active(crew, index))
        return true;
    until = clock_timespec(deadline_us);
    (void)pthread_mutex_lock(&crew->lock);
    if (!is_active(crew, index))
        (void)pthread_cond_timedwait(&crew->changed, &crew->lock, &until);
    (void)pthread_mutex_unlock(&crew->lock);
    return false;
}
