/*
 * change.c - what may be changed while a pipeline runs.
 *
 * A pause is a control request that the producers answer when nothing of an
 * earlier pull is under way; it stays asked, so an instance that is replaced
 * meanwhile is paused, too.  A limit is in an object of its own that producers
 * look at in every pull.
 *
 * Threads: any; nothing here waits.
 */
#include "assembly.h"

void pipeline_pause(struct pipeline *pipeline)
{
    atomic_store_explicit(&pipeline->is_pause_asked, true,
                          memory_order_release);
    for (unsigned i = 0; i < pipeline->producer_count; i++)
        control_ask(&pipeline->producers[i].controls, CONTROL_PAUSE, 0);
}

void pipeline_resume(struct pipeline *pipeline)
{
    atomic_store_explicit(&pipeline->is_pause_asked, false,
                          memory_order_release);
    for (unsigned i = 0; i < pipeline->producer_count; i++)
        control_withdraw(&pipeline->producers[i].controls, CONTROL_PAUSE);
}

bool pipeline_is_paused(const struct pipeline *pipeline)
{
    return atomic_load_explicit(&pipeline->is_pause_asked,
                                memory_order_acquire);
}

void pipeline_set_rate(struct pipeline *pipeline,
                       const struct topology_rate_limit *limit)
{
    const struct rate_limit to = {.messages = limit->messages,
                                  .bytes = limit->bytes,
                                  .interval_us = limit->interval_us};

    rate_set(&pipeline->rate, &to);
    /* Those that wait until the old limit allows more. */
    for (unsigned i = 0; i < pipeline->run.home_count; i++)
        mailbox_interrupt(pipeline->run.homes[i]);
}

void pipeline_rate(struct pipeline *pipeline,
                   struct topology_rate_limit *ret_limit)
{
    struct rate_limit limit;

    rate_get(&pipeline->rate, &limit);
    *ret_limit = (struct topology_rate_limit){.messages = limit.messages,
                                              .bytes = limit.bytes,
                                              .interval_us = limit.interval_us};
}
