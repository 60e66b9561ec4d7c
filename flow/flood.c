/*
 * flood.c - stops the source when too many messages fail.
 *
 *     flows --share above the limit--> stopped --a step under it--> flows
 *                                        |  ^
 *                                        +--+ one chunk passes per step:
 *                                             1 s, 2 s, 4 s, ... 1 min
 *
 * A destination that refuses everything, or a release that can't read its
 * input, would turn a whole topic into dead letters.  Whether that has passed
 * only messages can tell, so a few are let through, less and less often.
 *
 * The share is that of the last `over_us`, in slices, and is judged from 100
 * messages up.  A step is judged by itself, by all that ended in it: it goes on
 * when nothing did, and it resumes at once when a chunk's worth was fine.
 *
 * Why not count what is done and what failed: a destination that stands still
 * has nothing done, and the few that its handler rejects would look like all.
 * So a message is judged when its handler is through with it; what fails later
 * was judged before.
 *
 * Threads: flood_observe() on one; the rest on any.
 */
#include "flood.h"

enum { STEP_MIN_US = 1000 * 1000, STEP_MAX_US = 60 * 1000 * 1000 };

void flood_init(struct flood *flood, const struct flood_limit *limit)
{
    *flood = (struct flood){.limit = *limit};
}

static void add(struct flood_count *count, struct flood_count more)
{
    count->judged += more.judged;
    count->failed += more.failed;
}

struct flood_count flood_sum(const struct flood *flood)
{
    struct flood_count sum = {0, 0};

    for (unsigned i = 0; i < FLOOD_SLICES; i++)
        add(&sum, flood->slices[i]);
    return sum;
}

static bool is_above(const struct flood *flood, struct flood_count count)
{
    return count.failed * 100 > count.judged * flood->limit.percent;
}

static void forget(struct flood *flood)
{
    for (unsigned i = 0; i < FLOOD_SLICES; i++)
        flood->slices[i] = (struct flood_count){0, 0};
}

/* Slices whose time has passed are forgotten, the oldest first. */
static void advance(struct flood *flood, int64_t now_us)
{
    const int64_t length = flood->limit.over_us / FLOOD_SLICES;

    if (flood->slice_us == 0 ||
        now_us - flood->slice_us > flood->limit.over_us) {
        forget(flood);
        flood->slice_us = now_us + length;
    }
    while (now_us >= flood->slice_us) {
        flood->at = (flood->at + 1) % FLOOD_SLICES;
        flood->slices[flood->at] = (struct flood_count){0, 0};
        flood->slice_us += length;
    }
}

static void begin_step(struct flood *flood, int64_t now_us, uint32_t allowance)
{
    flood->step = (struct flood_count){0, 0};
    flood->step_due_us = now_us + flood->step_us;
    atomic_store_explicit(&flood->allowance, allowance, memory_order_relaxed);
}

static enum flood_news stop(struct flood *flood, int64_t now_us)
{
    flood->step_us = STEP_MIN_US;
    begin_step(flood, now_us, 0);
    atomic_store_explicit(&flood->is_stopped, true, memory_order_relaxed);
    return FLOOD_STOPS;
}

static enum flood_news resume(struct flood *flood)
{
    forget(flood);
    atomic_store_explicit(&flood->is_stopped, false, memory_order_relaxed);
    return FLOOD_RESUMES;
}

static enum flood_news look_at_step(struct flood *flood, int64_t now_us)
{
    const struct flood_count step = flood->step;

    if (step.judged >= FLOOD_CHUNK && !is_above(flood, step))
        return resume(flood);
    if (now_us < flood->step_due_us)
        return FLOOD_SAME;
    if (step.judged > 0 && !is_above(flood, step))
        return resume(flood);
    if (step.judged > 0 && flood->step_us < STEP_MAX_US)
        flood->step_us =
            2 * flood->step_us < STEP_MAX_US ? 2 * flood->step_us : STEP_MAX_US;
    begin_step(flood, now_us, FLOOD_CHUNK);
    return FLOOD_STEPS;
}

enum flood_news flood_observe(struct flood *flood, int64_t now_us,
                              struct flood_count all)
{
    const struct flood_count more = {all.judged - flood->last.judged,
                                     all.failed - flood->last.failed};
    struct flood_count sum;

    if (flood->limit.percent == 0)
        return FLOOD_SAME;
    flood->last = all;
    if (atomic_load_explicit(&flood->is_stopped, memory_order_relaxed)) {
        add(&flood->step, more);
        return look_at_step(flood, now_us);
    }
    advance(flood, now_us);
    add(&flood->slices[flood->at], more);
    sum = flood_sum(flood);
    if (sum.judged < FLOOD_JUDGED_MIN || !is_above(flood, sum))
        return FLOOD_SAME;
    return stop(flood, now_us);
}

uint32_t flood_take(struct flood *flood, unsigned homes, uint32_t demand,
                    bool *ret_is_counted)
{
    const uint32_t part = (FLOOD_CHUNK + homes - 1) / homes;
    uint32_t left, taken;

    *ret_is_counted =
        atomic_load_explicit(&flood->is_stopped, memory_order_relaxed);
    if (!*ret_is_counted)
        return demand;
    demand = demand < part ? demand : part;
    left = atomic_load_explicit(&flood->allowance, memory_order_relaxed);
    do {
        taken = demand < left ? demand : left;
    } while (taken > 0 && !atomic_compare_exchange_weak_explicit(
                              &flood->allowance, &left, left - taken,
                              memory_order_relaxed, memory_order_relaxed));
    return taken;
}

void flood_give(struct flood *flood, uint32_t unused)
{
    atomic_fetch_add_explicit(&flood->allowance, unused, memory_order_relaxed);
}
