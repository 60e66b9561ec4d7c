/*
 * rate.h - how many messages and bytes a pipeline may take in, per time.
 *
 * Source: the token bucket; J. Turner, "New Directions in Communications (or
 * Which Way to the Information Age?)", 1986.
 */
#ifndef WEIR_FLOW_RATE_H
#define WEIR_FLOW_RATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "run.h"

struct rate_limit {
    int64_t messages, bytes; /* per interval; 0: not limited */
    int64_t interval_us;     /* not 0 where one of them is limited */
};

/* What one producer instance may still take of one kind. */
struct rate_bucket {
    double rate; /* tokens per microsecond; 0: not limited */
    double ceiling, spare_ceiling;
    double tokens[RUN_MAX_HOMES];
    double spare;               /* what instances that are full can't hold */
    bool is_dry[RUN_MAX_HOMES]; /* waits until a part has come back */
};

struct rate {
    pthread_mutex_t lock;
    unsigned homes;
    int64_t filled_us;
    _Atomic bool is_limited;
    struct rate_limit limit;
    struct rate_bucket messages, bytes;
    double mean_bytes; /* of a message, lately; 0: none came yet */
};

/* Starts with empty buckets. */
void rate_init(struct rate *rate, unsigned homes,
               const struct rate_limit *limit);
void rate_finish(struct rate *rate);

/* Any thread, also while producers pull; what was saved up is kept as far as
 * the new limit allows. */
void rate_set(struct rate *rate, const struct rate_limit *limit);

/* The limit that was set last.  Any thread. */
void rate_get(struct rate *rate, struct rate_limit *ret_limit);

/* Whether there is any; producers ask first, so that none costs no lock. */
static inline bool rate_is_limited(const struct rate *rate)
{
    return atomic_load_explicit(&rate->is_limited, memory_order_relaxed);
}

/*
 * How many of `demand` messages, which is not 0, instance `home` may pull now.
 * 0: none before `ret_due_us`, which is written only then.
 */
uint32_t rate_allow(struct rate *rate, unsigned home, uint32_t demand,
                    int64_t *ret_due_us);

/* What it did pull, one message at least.  Bytes are known only now: they may
 * go below zero, which the next ones wait for. */
void rate_charge(struct rate *rate, unsigned home, uint32_t messages,
                 uint64_t bytes);

#endif
