/*
 * clock.h - the monotonic clock, in microseconds.
 */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND_US INT64_C(1000000)
#define CLOCK_NEVER_US  INT64_MAX

int64_t clock_now_us(void);

/* Of the calendar, which may step: to be shown, never to be waited for. */
int64_t clock_wall_ms(void);

/* "2026-01-31T23:59:59.123Z" (RFC 3339), into `out`. */
enum { CLOCK_TEXT_SIZE = 32 };
void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);

/* now + `span_us`, which may be CLOCK_NEVER_US. */
int64_t clock_after_us(int64_t span_us);

/* From now to `deadline_us`, rounded up, for poll(); 0..`ceiling_ms`. */
int clock_until_ms(int64_t deadline_us, int ceiling_ms);

/* A condition whose pthread_cond_timedwait() takes a clock_timespec(). */
void clock_cond_init(pthread_cond_t *cond);
struct timespec clock_timespec(int64_t deadline_us);

#endif
