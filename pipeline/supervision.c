/*
 * supervision.c - how often instances of stages may be replaced.
 *
 *     restarts    x        x   x          x
 *                 |--------- within ------|      one more now is too many
 *
 * Instances know each other only by their mailboxes, so one that fails is
 * replaced alone.  What makes one fail may last: then the others can do nothing
 * useful either, and whatever restarts containers should know.  So the budget
 * is the whole pipeline's: more than `max_restarts` within the time, and it
 * drains.
 *
 * Kept are the times of the last `max_restarts`, in a ring: the oldest of them
 * says whether one more is too many.
 *
 * Threads: any, behind `lock`.
 */
#include "supervision.h"

#include <stdio.h>

#include "assembly.h"
#include "backoff.h"
#include "clock.h"

enum { BACKOFF_MIN_US = 100 * 1000, BACKOFF_MAX_US = 1000 * 1000 };

void supervision_init(struct supervision *supervision, unsigned max_restarts,
                      int64_t within_us)
{
    *supervision = (struct supervision){.max_restarts = max_restarts,
                                        .within_us = within_us};
    (void)pthread_mutex_init(&supervision->lock, NULL);
}

void supervision_finish(struct supervision *supervision)
{
    (void)pthread_mutex_destroy(&supervision->lock);
}

static bool is_recent(const struct supervision *supervision, int64_t at_us,
                      int64_t now_us)
{
    return at_us > 0 && now_us - at_us <= supervision->within_us;
}

unsigned supervision_restart(struct supervision *supervision, int64_t now_us)
{
    unsigned count = 0;

    if (supervision->max_restarts == 0)
        return 0;
    (void)pthread_mutex_lock(&supervision->lock);
    if (!is_recent(supervision, supervision->at_us[supervision->next],
                   now_us)) {
        supervision->at_us[supervision->next] = now_us;
        supervision->next = (supervision->next + 1) % supervision->max_restarts;
        for (unsigned i = 0; i < supervision->max_restarts; i++)
            count += is_recent(supervision, supervision->at_us[i], now_us);
    }
    (void)pthread_mutex_unlock(&supervision->lock);
    return count;
}

int64_t pipeline_replace(void *opaque, const char *why)
{
    struct pipeline *pipeline = opaque;
    const struct supervision *supervision = &pipeline->supervision;
    const double within_s = (double)supervision->within_us / CLOCK_SECOND_US;
    const unsigned restart =
        supervision_restart(&pipeline->supervision, clock_now_us());
    char text[600];

    if (restart == 0) {
        (void)snprintf(text, sizeof text, "%s; more than %u restarts in %g s",
                       why, supervision->max_restarts, within_s);
        pipeline_end(pipeline, RUN_END_GAVE_UP, text);
        return -1;
    }
    counter_add(&pipeline->run.counters.restarts, 1);
    log_write(WEIR_LOG_WARNING, "%s: %s; replaced (restart %u of %u in %g s)",
              pipeline->topology->name, why, restart, supervision->max_restarts,
              within_s);
    return backoff_us(BACKOFF_MIN_US, BACKOFF_MAX_US, restart);
}
