/*
 * backoff.h - how long to wait before the next try: full jitter.
 *
 * Source: M. Brooker, "Exponential Backoff And Jitter", 2015.
 */
#ifndef WEIR_FLOW_BACKOFF_H
#define WEIR_FLOW_BACKOFF_H

#include <stdint.h>

/* Uniform in 0 .. min(max, min * 2^(attempt - 1)); `attempt` from 1. */
int64_t backoff_us(int64_t min_us, int64_t max_us, uint32_t attempt);

/* One endpoint's reconnects: damped, also when connects "succeed". */
struct reconnect {
    uint32_t attempt;
    int64_t opened_us;
};

/* After how long to try again, at least `min`; call it when a connection
 * failed or was lost.  A connection that held for 30 s starts anew. */
int64_t reconnect_delay_us(struct reconnect *reconnect);
void reconnect_opened(struct reconnect *reconnect);

#endif
