/*
 * tuning_check.c - whether a running topology would be accepted with other
 * values.
 *
 * A file may be sound as a whole, and half of it may not: a batch that fits a
 * window which only a restart makes larger.  So what can change now is checked
 * together with what stays, by the functions that check a file: the running
 * topology, with these values in it, on copies that report.
 *
 * Threads: the caller's; the topology is only read.
 */
#include "tuning.h"

#include "settings_tree.h"
#include "topology_build.h"

static void put_batchers(struct topology *topology, const struct tuning *tuning)
{
    for (size_t i = 0; i < topology->batcher_count; i++) {
        const int64_t *values = tuning->batchers[i].values;
        struct topology_batcher *batcher = &topology->batchers[i];

        batcher->batch_size = (unsigned)values[TUNING_BATCH_SIZE];
        batcher->batch_bytes = (size_t)values[TUNING_BATCH_BYTES];
        batcher->batch_timeout_us = values[TUNING_BATCH_TIMEOUT];
        batcher->max_batch_keys = (unsigned)values[TUNING_BATCH_KEYS];
    }
}

/* Concurrency stays: who rests is still there, and keeps its room. */
static void put(struct topology *topology, const struct tuning *tuning)
{
    struct topology_failure *failure = &topology->failure;

    tuning_rate(tuning, &topology->producer.rate_limit);
    topology->processors.timeout_us = tuning->values[TUNING_TIMEOUT];
    failure->attempts = (unsigned)tuning->values[TUNING_ATTEMPTS];
    failure->backoff_min_us = tuning->values[TUNING_BACKOFF_MIN];
    failure->backoff_max_us = tuning->values[TUNING_BACKOFF_MAX];
    topology->shutdown_timeout_us = tuning->values[TUNING_SHUTDOWN];
    topology->admin.stalled_us = tuning->values[TUNING_STALLED];
    topology->log_level = (enum weir_log_level)tuning->values[TUNING_LOG_LEVEL];
    put_batchers(topology, tuning);
}

/* A copy that can be refused; NULL: out of memory, which the storage knows. */
static struct weir_settings *reporting(const struct build *build,
                                       const struct weir_settings *settings)
{
    struct weir_settings *copy =
        settings_clone(build->reader.storage, settings, &settings->root->share);

    if (copy)
        copy->root->report = build->reader.report;
    return copy;
}

/* False: out of memory. */
static bool make(struct build *build, const struct topology *running)
{
    struct storage *storage = build->reader.storage;
    const size_t count = running->batcher_count;

    build->topology = storage_alloc(storage, sizeof *build->topology);
    build->batchers =
        storage_alloc(storage, (count + 1) * sizeof *build->batchers);
    if (!build->topology || !build->batchers)
        return false;
    *build->topology = *running;
    build->topology->batchers =
        storage_alloc(storage, (count + 1) * sizeof *running->batchers);
    if (!build->topology->batchers)
        return false;
    build->top = reporting(build, running->own);
    build->producer = reporting(build, running->producer.own);
    build->processors = reporting(build, running->processors.own);
    build->connector = (struct build_connector){
        .settings = running->producer.settings[0], .is_sound = true};
    for (size_t i = 0; i < count; i++) {
        const struct topology_batcher *batcher = &running->batchers[i];

        build->topology->batchers[i] = *batcher;
        build->batchers[i].settings = reporting(build, batcher->own);
        if (batcher->sink)
            build->batchers[i].sink = (struct build_connector){
                .settings = batcher->settings[0], .is_sound = true};
    }
    return !storage_is_exhausted(storage);
}

static enum weir_status first_error(const struct topology_errors *errors,
                                    struct weir_error *err)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct topology_error *error = &errors->list[i];

        if (!error->is_warning)
            return weir_fail(err, WEIR_REJECT, "%s: %s", error->path,
                             error->text);
    }
    return WEIR_OK;
}

enum weir_status tuning_check(const struct topology *running,
                              const struct tuning *tuning,
                              struct weir_error *err)
{
    struct topology_errors errors = {0};
    struct report report = {.errors = &errors, .file = ""};
    const struct topology_source source = {.until_end = running->until_end};
    struct build build = {.source = &source};
    enum weir_status status = WEIR_RETRY;

    build.reader.storage = storage_create();
    build.reader.report = &report;
    if (build.reader.storage && make(&build, running)) {
        put(build.topology, tuning);
        build_check(&build);
        build_shares(&build);
        if (!storage_is_exhausted(build.reader.storage) &&
            !report.is_out_of_memory)
            status = first_error(&errors, err);
    }
    if (status == WEIR_RETRY)
        (void)weir_fail(err, status, "out of memory");
    topology_errors_finish(&errors);
    storage_destroy(build.reader.storage);
    return status;
}
