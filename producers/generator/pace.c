/*
 * pace.c - how many messages are due.
 *
 * Each message has its own time, counted from one start, so that the rate is
 * kept exactly however late a wake-up comes: what was missed is due at once.
 */
#include "pace.h"

#include "clock.h"

void pace_init(struct pace *pace, uint64_t rate, unsigned index,
               unsigned members, int64_t now_us)
{
    const int64_t period_us = CLOCK_SECOND_US * members;

    *pace =
        (struct pace){.start_us = now_us, .period_us = period_us, .rate = rate};
    if (rate > 0) /* members take turns */
        pace->start_us += CLOCK_SECOND_US * index / (int64_t)rate;
}

int64_t pace_next_us(const struct pace *pace)
{
    if (pace->rate == 0)
        return 0;
    return pace->start_us +
           (int64_t)(pace->count * (uint64_t)pace->period_us / pace->rate);
}

unsigned pace_due(struct pace *pace, unsigned limit, int64_t now_us)
{
    int64_t late_us;
    uint64_t due;

    if (pace->rate == 0)
        return limit;
    late_us = now_us - pace_next_us(pace);
    if (late_us < 0)
        return 0;
    if (late_us > CLOCK_SECOND_US)
        pace->start_us += late_us - CLOCK_SECOND_US;
    due = (uint64_t)(now_us - pace->start_us) * pace->rate /
              (uint64_t)pace->period_us +
          1;
    due = due > pace->count ? due - pace->count : 1;
    return due < limit ? (unsigned)due : limit;
}

void pace_take(struct pace *pace, unsigned count)
{
    if (pace->rate == 0)
        return;
    pace->count += count;
    while (pace->count >= pace->rate) { /* so that nothing overflows */
        pace->count -= pace->rate;
        pace->start_us += pace->period_us;
    }
}
