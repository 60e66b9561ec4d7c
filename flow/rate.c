/*
 * rate.c - how many messages and bytes a pipeline may take in, per time.
 *
 *     limit --> [ tokens of instance 0 ] --+
 *           --> [ tokens of instance 1 ] --+--> full ones flow over into
 *           --> [ ...                  ]   |    [ spare ], which anyone uses
 *
 * Each producer instance gets an equal part of what flows in, so none starves
 * another by asking more often; what an idle one can't hold is used by the
 * rest, so the limit can be reached by one alone.
 *
 * No double burst: a bucket that holds a whole interval's worth would let twice
 * the limit through around its edge.  All that can be saved up here, by all
 * instances together, is a twentieth of an interval, and at the start nothing
 * is.  So no span of one interval sees more than the limit and that part, or
 * one message where that is more.
 *
 * An instance that ran dry waits until a part of its ceiling is back, else each
 * message would cost a wake-up of its own.
 *
 * What a message weighs is known when it was pulled.  The mean of the last ones
 * tells how many fit; what they weigh beyond that is a debt.
 *
 * Invariants: tokens[] <= ceiling, spare <= spare_ceiling; what was charged is
 * at most what flowed in, but for a debt of bytes.
 *
 * Threads: any, behind `lock`, once per pull and not per message.
 */
#include "rate.h"

#include "clock.h"

static const double burst = 1.0 / 20;    /* of an interval, for all together */
static const double come_back = 1.0 / 4; /* of the ceiling */
static const double remembered = 0.9;    /* of the mean, at each pull */
static const int64_t shortest_us = 1000; /* of the waits */

static void bucket_set(struct rate_bucket *bucket, unsigned homes,
                       int64_t amount, int64_t interval_us)
{
    bucket->rate = amount > 0 ? (double)amount / (double)interval_us : 0;
    bucket->ceiling = (double)amount * burst / (homes + 1);
    bucket->spare_ceiling = bucket->ceiling < 1 ? 1 : bucket->ceiling;
    for (unsigned i = 0; i < homes; i++) {
        if (bucket->tokens[i] > bucket->ceiling)
            bucket->tokens[i] = bucket->ceiling;
    }
    if (bucket->spare > bucket->spare_ceiling)
        bucket->spare = bucket->spare_ceiling;
}

static void bucket_fill(struct rate_bucket *bucket, unsigned homes,
                        int64_t elapsed_us)
{
    const double part = bucket->rate * (double)elapsed_us / homes;

    for (unsigned i = 0; i < homes; i++) {
        bucket->tokens[i] += part;
        if (bucket->tokens[i] > bucket->ceiling) {
            bucket->spare += bucket->tokens[i] - bucket->ceiling;
            bucket->tokens[i] = bucket->ceiling;
        }
    }
    if (bucket->spare > bucket->spare_ceiling)
        bucket->spare = bucket->spare_ceiling;
}

static double bucket_has(const struct rate_bucket *bucket, unsigned home)
{
    return bucket->tokens[home] + bucket->spare;
}

/* 0: may go on; else how long to wait, if the others leave it all that comes.
 */
static int64_t bucket_dry_us(struct rate_bucket *bucket, unsigned home)
{
    const double part = bucket->ceiling * come_back;
    const double enough = part > 1 ? part : 1;
    double missing;

    if (bucket->rate <= 0)
        return 0;
    missing = (bucket->is_dry[home] ? enough : 1) - bucket_has(bucket, home);
    bucket->is_dry[home] = missing > 0;
    if (missing <= 0)
        return 0;
    missing = (enough - bucket_has(bucket, home)) / bucket->rate;
    return missing > (double)shortest_us ? (int64_t)missing + 1 : shortest_us;
}

static void bucket_charge(struct rate_bucket *bucket, unsigned home,
                          double amount)
{
    if (bucket->rate <= 0)
        return;
    bucket->tokens[home] -= amount;
    if (bucket->tokens[home] < 0 && bucket->spare > 0) {
        const double debt = -bucket->tokens[home];
        const double lent = debt < bucket->spare ? debt : bucket->spare;

        bucket->tokens[home] += lent;
        bucket->spare -= lent;
    }
}

static void fill_locked(struct rate *rate)
{
    const int64_t now = clock_now_us();

    bucket_fill(&rate->messages, rate->homes, now - rate->filled_us);
    bucket_fill(&rate->bytes, rate->homes, now - rate->filled_us);
    rate->filled_us = now;
}

void rate_init(struct rate *rate, unsigned homes,
               const struct rate_limit *limit)
{
    *rate = (struct rate){.homes = homes, .filled_us = clock_now_us()};
    (void)pthread_mutex_init(&rate->lock, NULL);
    rate_set(rate, limit);
}

void rate_finish(struct rate *rate)
{
    (void)pthread_mutex_destroy(&rate->lock);
}

void rate_set(struct rate *rate, const struct rate_limit *limit)
{
    (void)pthread_mutex_lock(&rate->lock);
    fill_locked(rate);
    rate->limit = *limit;
    atomic_store_explicit(&rate->is_limited,
                          limit->messages > 0 || limit->bytes > 0,
                          memory_order_relaxed);
    bucket_set(&rate->messages, rate->homes, limit->messages,
               limit->interval_us);
    bucket_set(&rate->bytes, rate->homes, limit->bytes, limit->interval_us);
    (void)pthread_mutex_unlock(&rate->lock);
}

void rate_get(struct rate *rate, struct rate_limit *ret_limit)
{
    (void)pthread_mutex_lock(&rate->lock);
    *ret_limit = rate->limit;
    (void)pthread_mutex_unlock(&rate->lock);
}

/* How many of `demand` fit: one at least, since a whole message may be more
 * than the bucket ever holds. */
static uint32_t fit(double tokens, double weight, uint32_t demand)
{
    const double count = tokens / weight;

    if (count >= (double)demand)
        return demand;
    return count < 1 ? 1 : (uint32_t)count;
}

uint32_t rate_allow(struct rate *rate, unsigned home, uint32_t demand,
                    int64_t *ret_due_us)
{
    struct rate_bucket *messages = &rate->messages, *bytes = &rate->bytes;
    int64_t dry_us, bytes_dry_us;

    (void)pthread_mutex_lock(&rate->lock);
    fill_locked(rate);
    dry_us = bucket_dry_us(messages, home);
    bytes_dry_us = bucket_dry_us(bytes, home);
    if (messages->rate > 0)
        demand = fit(bucket_has(messages, home), 1, demand);
    if (bytes->rate > 0)
        demand = rate->mean_bytes > 0
                     ? fit(bucket_has(bytes, home), rate->mean_bytes, demand)
                     : 1;
    if (bytes_dry_us > dry_us)
        dry_us = bytes_dry_us;
    if (dry_us > 0) {
        *ret_due_us = rate->filled_us + dry_us;
        demand = 0;
    }
    (void)pthread_mutex_unlock(&rate->lock);
    return demand;
}

void rate_charge(struct rate *rate, unsigned home, uint32_t messages,
                 uint64_t bytes)
{
    double mean = (double)bytes / messages;

    (void)pthread_mutex_lock(&rate->lock);
    bucket_charge(&rate->messages, home, messages);
    bucket_charge(&rate->bytes, home, (double)bytes);
    if (rate->mean_bytes > 0)
        mean = rate->mean_bytes * remembered + mean * (1 - remembered);
    rate->mean_bytes = mean;
    (void)pthread_mutex_unlock(&rate->lock);
}
