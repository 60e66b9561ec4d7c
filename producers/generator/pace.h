/*
 * pace.h - how many messages are due.
 */
#ifndef WEIR_GENERATOR_PACE_H
#define WEIR_GENERATOR_PACE_H

#include <stdint.h>

/* Message i is due at start_us + i * period_us / rate. */
struct pace {
    int64_t start_us, period_us;
    uint64_t rate;  /* messages in a period; 0: always due */
    uint64_t count; /* taken since start_us */
};

/* `rate` messages a second, made by `members`, of which this is `index`. */
void pace_init(struct pace *pace, uint64_t rate, unsigned index,
               unsigned members, int64_t now_us);

/* How many are due, at most `limit`.  After a standstill no more than a
 * second's worth is made up for. */
unsigned pace_due(struct pace *pace, unsigned limit, int64_t now_us);
void pace_take(struct pace *pace, unsigned count);

/* When the next one is due. */
int64_t pace_next_us(const struct pace *pace);

#endif
