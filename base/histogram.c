/*
 * histogram.c - how long things took, in fixed buckets.
 *
 * Threads: add(): the owner's; merge(): any.
 */
#include "histogram.h"

const int64_t histogram_bounds_us[HISTOGRAM_BOUNDS] = {
    10,     25,      50,      100,     250,      500,      1000,
    2500,   5000,    10000,   25000,   50000,    100000,   250000,
    500000, 1000000, 2500000, 5000000, 10000000, 60000000,
};

static void add(_Atomic uint64_t *number, uint64_t more)
{
    atomic_store_explicit(
        number, atomic_load_explicit(number, memory_order_relaxed) + more,
        memory_order_relaxed);
}

void histogram_add(struct histogram *histogram, int64_t span_us, uint32_t count)
{
    unsigned at = 0;

    if (span_us < 0)
        span_us = 0;
    while (at < HISTOGRAM_BOUNDS && span_us > histogram_bounds_us[at])
        at++;
    add(&histogram->counts[at], count);
    add(&histogram->sum_us, (uint64_t)span_us * count);
}

void histogram_merge(const struct histogram *histogram,
                     struct histogram_view *view)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        const uint64_t count =
            atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);

        view->counts[i] += count;
        view->count += count;
    }
    view->sum_us +=
        atomic_load_explicit(&histogram->sum_us, memory_order_relaxed);
}
