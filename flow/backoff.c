/*
 * backoff.c - how long to wait before the next try: full jitter.
 *
 * Threads: any; each has a random state of its own, seeded from the clock and
 * its stack.
 */
#include "backoff.h"

#include "clock.h"
#include "hash.h"

static const int64_t healthy_us = CLOCK_SECOND_US * 30;
static const int64_t reconnect_min_us = CLOCK_SECOND_US / 10;
static const int64_t reconnect_max_us = CLOCK_SECOND_US * 3;

static uint64_t random_u64(void)
{
    const struct {
        int64_t now_us;
        const void *stack;
    } seed = {clock_now_us(), &seed};

    return hash_bytes(&seed, sizeof seed, 0);
}

static int64_t ceiling_us(int64_t min_us, int64_t max_us, uint32_t attempt)
{
    int64_t ceiling = min_us;

    while (attempt > 1 && ceiling > 0 && ceiling < max_us) {
        ceiling *= 2;
        attempt--;
    }
    return ceiling < max_us ? ceiling : max_us;
}

int64_t backoff_us(int64_t min_us, int64_t max_us, uint32_t attempt)
{
    const int64_t ceiling = ceiling_us(min_us, max_us, attempt);

    return (int64_t)(random_u64() % (uint64_t)(ceiling + 1));
}

int64_t reconnect_delay_us(struct reconnect *reconnect)
{
    const int64_t held = clock_now_us() - reconnect->opened_us;

    if (reconnect->opened_us > 0 && held > healthy_us)
        reconnect->attempt = 0;
    reconnect->opened_us = 0;
    if (reconnect->attempt < UINT32_MAX)
        reconnect->attempt++;
    return reconnect_min_us + backoff_us(reconnect_min_us,
                                         reconnect_max_us - reconnect_min_us,
                                         reconnect->attempt);
}

void reconnect_opened(struct reconnect *reconnect)
{
    reconnect->opened_us = clock_now_us();
}
