/*
 * clock.c - the monotonic clock, in microseconds.
 */
#include "clock.h"

int64_t clock_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * CLOCK_SECOND_US + now.tv_nsec / 1000;
}

int64_t clock_after_us(int64_t span_us)
{
    const int64_t now = clock_now_us();

    return span_us >= CLOCK_NEVER_US - now ? CLOCK_NEVER_US : now + span_us;
}

int clock_until_ms(int64_t deadline_us, int ceiling_ms)
{
    const int64_t now = clock_now_us();
    int64_t left_ms;

    if (deadline_us <= now)
        return 0;
    left_ms = (deadline_us - now) / 1000 + 1;
    return left_ms < ceiling_ms ? (int)left_ms : ceiling_ms;
}

void clock_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

struct timespec clock_timespec(int64_t deadline_us)
{
    return (struct timespec){.tv_sec = deadline_us / CLOCK_SECOND_US,
                             .tv_nsec = deadline_us % CLOCK_SECOND_US * 1000};
}
