/*
 * clock.c - the monotonic clock, in microseconds.
 */
#include "clock.h"

#include <stdio.h>

int64_t clock_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * CLOCK_SECOND_US + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
    const time_t second = (time_t)(wall_ms / 1000);
    struct tm parts = {0};
    char date[CLOCK_TEXT_SIZE];

    (void)gmtime_r(&second, &parts);
    (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(out, CLOCK_TEXT_SIZE, "%.19s.%03dZ", date,
                   (int)(wall_ms % 1000));
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
