/*
 * pace.c - how long messages may gather in the socket before they are read.
 *
 * A broker writes a few messages at a time.  Each time somebody is woken, reads
 * them, wakes a worker and is woken by it, which costs as much as what is done
 * with ten messages.  So where many come, the reader takes a nap after each
 * look, as long as it takes about `gather` messages to come:
 *
 *     slow   .....m........m............m.....   read as they come
 *     fast   mm.mmm..mm.m|nap|mmmmmmmmm|nap|mm   read by the dozen
 *
 * A nap is never longer than NAP_US, and nothing is awaited: a stream that ends
 * has one nap left, and a slow one has none, since the rate is that of the last
 * WINDOW_US, or longer.
 *
 * `gather` is a tenth of the prefetch and no more: as the broker waits when all
 * of the prefetch is out, a longer nap lowers the rate, which lengthens the
 * nap.
 *
 * Why not wait for so many bytes (SO_RCVLOWAT): the library's own calls sleep
 * on the same socket, and would wait for what doesn't come.
 *
 * Threads: the producer's own.
 */
#include "pace.h"

enum {
    WINDOW_US = 5000,
    NAP_US = 500,
    SHORTEST_US = 20, /* the kernel adds 50 to it anyway */
    FAST = 100        /* messages in a window */
};

void pace_count(struct pace *pace, unsigned count)
{
    pace->count += count;
    pace->is_due = true;
}

/* FAST in a window that was much longer, for want of messages, is slow. */
static int64_t nap_of(const struct pace *pace, unsigned gather, int64_t span_us)
{
    int64_t nap_us;

    if ((int64_t)pace->count * WINDOW_US < FAST * span_us)
        return 0;
    nap_us = gather * span_us / pace->count;
    if (nap_us < SHORTEST_US)
        return 0;
    return nap_us < NAP_US ? nap_us : NAP_US;
}

int64_t pace_nap_us(struct pace *pace, unsigned gather, int64_t now_us)
{
    const int64_t span_us = now_us - pace->since_us;
    const bool is_due = pace->is_due;

    if (span_us >= WINDOW_US) {
        pace->nap_us = nap_of(pace, gather, span_us);
        pace->since_us = now_us;
        pace->count = 0;
    }
    pace->is_due = false;
    return is_due ? pace->nap_us : 0;
}
