/*
 * tuning.c - what of a topology may change while it runs.
 *
 *     file --topology_load--> next --tuning_fit--> what can become so
 *                                     |                  |
 *                            needs a restart       tuning_check
 *
 * Each value is a row of a table, with its key; the rest of the file needs a
 * restart (difference.c).  What decides how much a source or a client was given
 * room for at the start may become smaller than it was then, and grow again,
 * but not beyond: the workers that were started, and, where the source was
 * sized by the batches, the batches.
 *
 * Threads: none; values of the caller's.
 */
#include "tuning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value.h"

enum row_type { ROW_COUNT = 0, ROW_SIZE, ROW_DURATION, ROW_LEVEL };

struct row {
    const char *path;
    enum row_type type;
};

static const struct row rows[TUNING_COUNT] = {
    [TUNING_RATE_MESSAGES] = {"producer.rate_limit.messages", ROW_COUNT},
    [TUNING_RATE_BYTES] = {"producer.rate_limit.bytes", ROW_SIZE},
    [TUNING_RATE_INTERVAL] = {"producer.rate_limit.interval", ROW_DURATION},
    [TUNING_CONCURRENCY] = {"processors.concurrency", ROW_COUNT},
    [TUNING_TIMEOUT] = {"processors.timeout", ROW_DURATION},
    [TUNING_ATTEMPTS] = {"failure.retry.attempts", ROW_COUNT},
    [TUNING_BACKOFF_MIN] = {"failure.retry.backoff.min", ROW_DURATION},
    [TUNING_BACKOFF_MAX] = {"failure.retry.backoff.max", ROW_DURATION},
    [TUNING_SHUTDOWN] = {"shutdown.timeout", ROW_DURATION},
    [TUNING_STALLED] = {"admin.stalled_after", ROW_DURATION},
    [TUNING_LOG_LEVEL] = {"log.level", ROW_LEVEL},
};

static const struct row batcher_rows[TUNING_BATCHER_COUNT] = {
    [TUNING_BATCH_SIZE] = {"batch_size", ROW_COUNT},
    [TUNING_BATCH_BYTES] = {"batch_bytes", ROW_SIZE},
    [TUNING_BATCH_TIMEOUT] = {"batch_timeout", ROW_DURATION},
    [TUNING_BATCH_KEYS] = {"max_batch_keys", ROW_COUNT},
};

bool tuning_has_key(const char *path)
{
    for (unsigned i = 0; i < TUNING_COUNT; i++) {
        if (strcmp(rows[i].path, path) == 0)
            return true;
    }
    return false;
}

bool tuning_batcher_has_key(const char *name)
{
    for (unsigned i = 0; i < TUNING_BATCHER_COUNT; i++) {
        if (strcmp(batcher_rows[i].path, name) == 0)
            return true;
    }
    return false;
}

/* ---- values ---- */

static enum weir_status make(size_t batcher_count, struct tuning *ret_tuning)
{
    *ret_tuning = (struct tuning){
        .batchers = calloc(batcher_count + 1, sizeof *ret_tuning->batchers),
        .batcher_count = batcher_count};
    return ret_tuning->batchers ? WEIR_OK : WEIR_RETRY;
}

void tuning_finish(struct tuning *tuning)
{
    free(tuning->batchers);
    *tuning = (struct tuning){.batchers = NULL};
}

void tuning_assign(struct tuning *to, const struct tuning *from)
{
    memcpy(to->values, from->values, sizeof to->values);
    memcpy(to->batchers, from->batchers,
           from->batcher_count * sizeof *to->batchers);
}

enum weir_status tuning_copy(const struct tuning *from,
                             struct tuning *ret_tuning)
{
    const enum weir_status status = make(from->batcher_count, ret_tuning);

    if (status == WEIR_OK)
        tuning_assign(ret_tuning, from);
    return status;
}

void tuning_set_rate(struct tuning *tuning,
                     const struct topology_rate_limit *limit)
{
    const bool is_limited = limit->messages > 0 || limit->bytes > 0;

    tuning->values[TUNING_RATE_MESSAGES] = limit->messages;
    tuning->values[TUNING_RATE_BYTES] = limit->bytes;
    tuning->values[TUNING_RATE_INTERVAL] = is_limited ? limit->interval_us : 0;
}

void tuning_rate(const struct tuning *tuning,
                 struct topology_rate_limit *ret_limit)
{
    *ret_limit = (struct topology_rate_limit){
        .messages = tuning->values[TUNING_RATE_MESSAGES],
        .bytes = tuning->values[TUNING_RATE_BYTES],
        .interval_us = tuning->values[TUNING_RATE_INTERVAL]};
}

static void read_batcher(const struct topology_batcher *from,
                         struct tuning_batcher *to)
{
    to->values[TUNING_BATCH_SIZE] = from->batch_size;
    to->values[TUNING_BATCH_BYTES] = (int64_t)from->batch_bytes;
    to->values[TUNING_BATCH_TIMEOUT] = from->batch_timeout_us;
    to->values[TUNING_BATCH_KEYS] = from->max_batch_keys;
}

static void read_values(const struct topology *topology, struct tuning *tuning)
{
    const struct topology_failure *failure = &topology->failure;

    tuning_set_rate(tuning, &topology->producer.rate_limit);
    tuning->values[TUNING_CONCURRENCY] = topology->processors.concurrency;
    tuning->values[TUNING_TIMEOUT] = topology->processors.timeout_us;
    tuning->values[TUNING_ATTEMPTS] = failure->attempts;
    tuning->values[TUNING_BACKOFF_MIN] = failure->backoff_min_us;
    tuning->values[TUNING_BACKOFF_MAX] = failure->backoff_max_us;
    tuning->values[TUNING_SHUTDOWN] = topology->shutdown_timeout_us;
    tuning->values[TUNING_STALLED] = topology->admin.stalled_us;
    tuning->values[TUNING_LOG_LEVEL] = topology->log_level;
}

enum weir_status tuning_read(const struct topology *topology,
                             struct tuning *ret_tuning)
{
    const enum weir_status status = make(topology->batcher_count, ret_tuning);

    if (status != WEIR_OK)
        return status;
    read_values(topology, ret_tuning);
    for (size_t i = 0; i < topology->batcher_count; i++)
        read_batcher(&topology->batchers[i], &ret_tuning->batchers[i]);
    return WEIR_OK;
}

/* ---- differences ---- */

static void format(enum row_type type, int64_t value, char *out)
{
    if (type == ROW_LEVEL)
        (void)snprintf(out, TUNING_TEXT_SIZE, "%s",
                       log_level_name((enum weir_log_level)value));
    else if (value == 0)
        (void)snprintf(out, TUNING_TEXT_SIZE, "none");
    else if (type == ROW_SIZE)
        value_size_format(value, out, TUNING_TEXT_SIZE);
    else if (type == ROW_DURATION)
        value_duration_format(value, out, TUNING_TEXT_SIZE);
    else
        (void)snprintf(out, TUNING_TEXT_SIZE, "%lld", (long long)value);
}

/* `batcher` NULL: a key of the topology's own. */
static void tell(const struct row *row, const char *batcher,
                 const int64_t values[2], tuning_change_fn found, void *opaque)
{
    struct tuning_change change;

    if (batcher)
        (void)snprintf(change.path, sizeof change.path, "batchers.%s.%s",
                       batcher, row->path);
    else
        (void)snprintf(change.path, sizeof change.path, "%s", row->path);
    format(row->type, values[0], change.from);
    format(row->type, values[1], change.to);
    found(opaque, &change);
}

void tuning_differences(const struct topology *topology,
                        const struct tuning *from, const struct tuning *to,
                        tuning_change_fn found, void *opaque)
{
    for (unsigned i = 0; i < TUNING_COUNT; i++) {
        const int64_t values[2] = {from->values[i], to->values[i]};

        if (values[0] != values[1])
            tell(&rows[i], NULL, values, found, opaque);
    }
    for (size_t b = 0; b < topology->batcher_count; b++) {
        for (unsigned i = 0; i < TUNING_BATCHER_COUNT; i++) {
            const int64_t values[2] = {from->batchers[b].values[i],
                                       to->batchers[b].values[i]};

            if (values[0] != values[1])
                tell(&batcher_rows[i], topology->batchers[b].name, values,
                     found, opaque);
        }
    }
}

/* ---- what can become so ---- */

/* Beyond the start's it would need what is made at the start only. */
static bool is_sized_by_batches(const struct topology *running, size_t batcher)
{
    return running->producer.ops->is_pushed ||
           (running->state && !running->batchers[batcher].sink);
}

static void fit_batchers(const struct topology *running,
                         const struct topology *next, struct tuning *fitted,
                         tuning_change_fn found, void *opaque)
{
    for (size_t i = 0; i < running->batcher_count; i++) {
        const struct topology_batcher *own = &running->batchers[i];
        const struct topology_batcher *wanted =
            topology_find_batcher(next, own->name);
        int64_t *values = fitted->batchers[i].values;
        const int64_t size[2] = {values[TUNING_BATCH_SIZE],
                                 wanted ? wanted->batch_size : 0};

        if (!wanted)
            continue; /* it is gone: that needs a restart */
        read_batcher(wanted, &fitted->batchers[i]);
        if (size[1] <= own->batch_size || !is_sized_by_batches(running, i))
            continue;
        values[TUNING_BATCH_SIZE] = size[0];
        tell(&batcher_rows[TUNING_BATCH_SIZE], own->name, size, found, opaque);
    }
}

enum weir_status tuning_fit(const struct topology *running,
                            const struct tuning *now,
                            const struct topology *next,
                            struct tuning *ret_tuning, tuning_change_fn found,
                            void *opaque)
{
    const int64_t workers[2] = {now->values[TUNING_CONCURRENCY],
                                next->processors.concurrency};
    const enum weir_status status = tuning_copy(now, ret_tuning);

    if (status != WEIR_OK)
        return status;
    read_values(next, ret_tuning);
    if (workers[1] > running->processors.concurrency) {
        ret_tuning->values[TUNING_CONCURRENCY] = workers[0];
        tell(&rows[TUNING_CONCURRENCY], NULL, workers, found, opaque);
    }
    fit_batchers(running, next, ret_tuning, found, opaque);
    return WEIR_OK;
}
