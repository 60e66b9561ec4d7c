/*
 * change.c - what may be changed while a pipeline runs.
 *
 * A reload's values (reload.c) come as one step: nothing here can fail.  What
 * one place looks at, as the supervisor at timeouts, is behind a lock; what
 * stages go by is posted on a board, from which each takes all of it at once.
 *
 * A pause is a control request that the producers answer when nothing of an
 * earlier pull is under way; it stays asked, so an instance that is replaced
 * meanwhile is paused, too.  A limit is in an object of its own that producers
 * look at in every pull.
 *
 * Threads: any; nothing here waits for a stage.
 */
#include "assembly.h"

#include "log.h"

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

/* ---- a reload's ---- */

int64_t pipeline_tuned(struct pipeline *pipeline, enum tuning_key key)
{
    int64_t value;

    (void)pthread_mutex_lock(&pipeline->lock);
    value = pipeline->tuning.values[key];
    (void)pthread_mutex_unlock(&pipeline->lock);
    return value;
}

enum weir_status pipeline_tuning(struct pipeline *pipeline,
                                 struct tuning *ret_tuning)
{
    struct topology_rate_limit limit;
    enum weir_status status;

    (void)pthread_mutex_lock(&pipeline->lock);
    status = tuning_copy(&pipeline->tuning, ret_tuning);
    (void)pthread_mutex_unlock(&pipeline->lock);
    if (status != WEIR_OK)
        return status;
    pipeline_rate(pipeline, &limit);
    tuning_set_rate(ret_tuning, &limit);
    ret_tuning->values[TUNING_LOG_LEVEL] = log_level();
    return WEIR_OK;
}

void change_post(struct pipeline *pipeline)
{
    const struct tuning *tuning = &pipeline->tuning;
    const struct retry_limits retry = {
        .attempts = (uint32_t)tuning->values[TUNING_ATTEMPTS],
        .backoff_min_us = tuning->values[TUNING_BACKOFF_MIN],
        .backoff_max_us = tuning->values[TUNING_BACKOFF_MAX]};

    for (size_t i = 0; i < tuning->batcher_count; i++) {
        const int64_t *values = tuning->batchers[i].values;

        pipeline->limits[i] = (struct batch_limits){
            .batch_size = (uint32_t)values[TUNING_BATCH_SIZE],
            .max_batch_keys = (uint32_t)values[TUNING_BATCH_KEYS],
            .batch_bytes = (size_t)values[TUNING_BATCH_BYTES],
            .batch_timeout_us = values[TUNING_BATCH_TIMEOUT]};
    }
    board_post(&pipeline->run.board, &retry, pipeline->limits);
}

void pipeline_tune(struct pipeline *pipeline, const struct tuning *to)
{
    struct topology_rate_limit limit;

    (void)pthread_mutex_lock(&pipeline->lock);
    tuning_assign(&pipeline->tuning, to);
    (void)pthread_mutex_unlock(&pipeline->lock);
    change_post(pipeline);
    crew_set(&pipeline->crew, (unsigned)to->values[TUNING_CONCURRENCY]);
    tuning_rate(to, &limit);
    pipeline_set_rate(pipeline, &limit);
    log_set_level((enum weir_log_level)to->values[TUNING_LOG_LEVEL]);
    pipeline->run.poke(pipeline->run.poke_opaque);
}
