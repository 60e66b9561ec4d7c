/*
 * histogram.h - how long things took, in fixed buckets.
 *
 * Written by one thread with plain stores, read by any: each number is whole,
 * the set may be of two moments.
 */
#ifndef WEIR_BASE_HISTOGRAM_H
#define WEIR_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

/* The last bucket has what is longer than all bounds. */
enum { HISTOGRAM_BOUNDS = 20, HISTOGRAM_BUCKETS = HISTOGRAM_BOUNDS + 1 };

/* Upper bounds, inclusive. */
extern const int64_t histogram_bounds_us[HISTOGRAM_BOUNDS];

struct histogram {
    _Atomic uint64_t counts[HISTOGRAM_BUCKETS];
    _Atomic uint64_t sum_us;
};

struct histogram_view {
    uint64_t counts[HISTOGRAM_BUCKETS]; /* of each bucket alone */
    uint64_t count, sum_us;
};

/* `count` things that took `span_us` each; less than nothing is nothing. */
void histogram_add(struct histogram *histogram, int64_t span_us,
                   uint32_t count);

/* Adds to a view, which begins zeroed.  Any thread. */
void histogram_merge(const struct histogram *histogram,
                     struct histogram_view *view);

#endif
