/*
 * pace.h - how long messages may gather in the socket before they are read.
 */
#ifndef WEIR_PRODUCERS_AMQP_PACE_H
#define WEIR_PRODUCERS_AMQP_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed is a slow stream. */
struct pace {
    int64_t since_us; /* when `count` began */
    unsigned count;   /* messages read since */
    int64_t nap_us;   /* what this rate is worth; 0: it is slow */
    bool is_due;      /* messages came since the last nap */
};

/* `count` messages, more than none, were read. */
void pace_count(struct pace *pace, unsigned count);

/*
 * Asked before each sleep: how long to sleep without an eye on the socket.  0:
 * not at all.  `gather` messages are worth a nap.
 */
int64_t pace_nap_us(struct pace *pace, unsigned gather, int64_t now_us);

#endif
