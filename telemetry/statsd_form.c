/*
 * statsd_form.c - metrics as StatsD wants them: what changed since last time.
 *
 * A counter is sent as what it grew by, so it is remembered for each series.  A
 * gauge is sent as it is.
 *
 * A timing is sent for each message there, but ours are counted in buckets
 * already, a million a second of them.  So a bucket that grew by `n` is one
 * value that stands for n: `|ms|@1/n`, as if n had been measured and one
 * sampled.  The value lies within its bucket, and in all of them at the same
 * share of their width, which is chosen so that the mean is the true one:
 *
 *      0 ....... 10 ............ 25 ................. 50   ms
 *           ^              ^                ^     lower + share * width
 *
 * Threads: the owner's.
 */
#include "statsd_form.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

/* What is longer than all bounds is taken for at most ten minutes. */
#define LONGEST_US 6e8

enum { VALUE_SIZE = 96 };

struct statsd_past {
    uint64_t key;
    double value;
    struct histogram_view view;
};

void statsd_form_finish(struct statsd_form *form)
{
    free(form->pasts);
    form->pasts = NULL;
    form->count = form->capacity = 0;
}

static uint64_t key_of(const struct metric *metric,
                       const struct metric_labels *labels)
{
    uint64_t key = hash_bytes(metric->name, strlen(metric->name), 0);

    for (const struct metric_label *label = labels->list; label->name; label++)
        key = hash_bytes(label->value, strlen(label->value), key);
    return key;
}

/* Zeroed at first; NULL: no memory, it is told next time. */
static struct statsd_past *find_past(struct statsd_form *form,
                                     const struct metric *metric,
                                     const struct metric_labels *labels)
{
    const uint64_t key = key_of(metric, labels);
    struct statsd_past *pasts;

    for (size_t i = 0; i < form->count; i++) {
        if (form->pasts[i].key == key)
            return &form->pasts[i];
    }
    if (form->count == form->capacity) {
        pasts = realloc(form->pasts, (form->capacity + 64) * sizeof *pasts);
        if (!pasts)
            return NULL;
        form->pasts = pasts;
        form->capacity += 64;
    }
    form->pasts[form->count] = (struct statsd_past){.key = key};
    return &form->pasts[form->count++];
}

/* Whole where it is, since some receivers want that. */
static void write_number(double value, const char *type, char out[VALUE_SIZE])
{
    if (value < 1e15 && value == (double)(int64_t)value)
        (void)snprintf(out, VALUE_SIZE, "%.0f|%s", value, type);
    else
        (void)snprintf(out, VALUE_SIZE, "%.6f|%s", value, type);
}

static void tell_number(void *self, const struct metric *metric,
                        const struct metric_labels *labels, double value)
{
    struct statsd_form *form = self;
    struct statsd_past *past;
    char text[VALUE_SIZE];

    if (metric->type == METRIC_GAUGE) {
        write_number(value, "g", text);
        statsd_text_add(&form->text, metric, labels, text);
        return;
    }
    past = find_past(form, metric, labels);
    if (!past || value <= past->value)
        return;
    write_number(value - past->value, "c", text);
    statsd_text_add(&form->text, metric, labels, text);
    past->value = value;
}

/* ---- timings ---- */

static double lower_us(unsigned bucket)
{
    return bucket == 0 ? 0 : (double)histogram_bounds_us[bucket - 1];
}

static double width_us(unsigned bucket)
{
    const double upper = bucket < HISTOGRAM_BOUNDS
                             ? (double)histogram_bounds_us[bucket]
                             : LONGEST_US;

    return upper - lower_us(bucket);
}

/* Where in their buckets these are, on average: from 0, the lower bound, to 1.
 */
static double share_of(const struct histogram_view *view)
{
    double least = 0, range = 0, share;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        least += (double)view->counts[i] * lower_us(i);
        range += (double)view->counts[i] * width_us(i);
    }
    share = range > 0 ? ((double)view->sum_us - least) / range : 0;
    if (share < 0) /* the sum may be of another moment than the counts */
        return 0;
    return share < 1 ? share : 1;
}

/* `after` is later, so no number of it is less. */
static struct histogram_view difference(const struct histogram_view *before,
                                        const struct histogram_view *after)
{
    struct histogram_view view = {.count = after->count - before->count,
                                  .sum_us = after->sum_us - before->sum_us};

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        view.counts[i] = after->counts[i] - before->counts[i];
    return view;
}

/* 1 / count, so exact that a receiver counts right. */
static void write_timing(double ms, uint64_t count, char out[VALUE_SIZE])
{
    int digits = 12;

    for (uint64_t rest = count; rest >= 10; rest /= 10)
        digits++;
    if (count == 1)
        (void)snprintf(out, VALUE_SIZE, "%.9f|ms", ms);
    else
        (void)snprintf(out, VALUE_SIZE, "%.9f|ms|@%.*f", ms, digits,
                       1 / (double)count);
}

static void tell_histogram(void *self, const struct metric *metric,
                           const struct metric_labels *labels,
                           const struct histogram_view *view)
{
    struct statsd_form *form = self;
    struct statsd_past *past = find_past(form, metric, labels);
    struct histogram_view grown;
    char text[VALUE_SIZE];
    double share;

    if (!past)
        return;
    grown = difference(&past->view, view);
    share = share_of(&grown);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (grown.counts[i] == 0)
            continue;
        write_timing((lower_us(i) + share * width_us(i)) / 1e3, grown.counts[i],
                     text);
        statsd_text_add(&form->text, metric, labels, text);
    }
    past->view = *view;
}

struct metrics_form statsd_form_of(struct statsd_form *form)
{
    return (struct metrics_form){
        .self = form, .number = tell_number, .histogram = tell_histogram};
}
