/*
 * recent.c - the messages that failed last, for people; never a payload.
 *
 * Threads: any, behind `lock`.
 */
#include "recent.h"

#include "clock.h"

void recent_init(struct recent *recent)
{
    *recent = (struct recent){.count = 0};
    (void)pthread_mutex_init(&recent->lock, NULL);
}

void recent_finish(struct recent *recent)
{
    (void)pthread_mutex_destroy(&recent->lock);
}

void recent_add(struct recent *recent, const struct recent_failure *failure)
{
    const int64_t wall_ms = clock_wall_ms();
    struct recent_failure *to;

    (void)pthread_mutex_lock(&recent->lock);
    to = &recent->list[recent->count % RECENT_COUNT];
    *to = *failure;
    to->number = ++recent->count;
    to->wall_ms = wall_ms;
    (void)pthread_mutex_unlock(&recent->lock);
}

size_t recent_read(struct recent *recent,
                   struct recent_failure out[RECENT_COUNT])
{
    size_t count;

    (void)pthread_mutex_lock(&recent->lock);
    count = recent->count < RECENT_COUNT ? (size_t)recent->count : RECENT_COUNT;
    for (size_t i = 0; i < count; i++)
        out[i] = recent->list[(recent->count - 1 - i) % RECENT_COUNT];
    (void)pthread_mutex_unlock(&recent->lock);
    return count;
}
