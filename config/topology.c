/*
 * topology.c - a topology file, from its bytes to checked data.
 *
 *     bytes --load--> nodes --override, interpolate--> nodes
 *           --read--> values --check--> --share--> struct topology
 *
 * Every step reports what is wrong and goes on, as far as that makes sense;
 * whether there is a topology is decided once, at the end: no error, and no
 * allocation failed.
 *
 * Threads: none.  A topology is written here and only read afterwards.
 */
#include "topology.h"

#include <stdio.h>
#include <string.h>

#include "file.h"
#include "interpolate.h"
#include "load.h"
#include "override.h"
#include "topology_build.h"

const char *const topology_policy_names[WEIR_POLICY_COUNT] = {
    [WEIR_POLICY_REJECT] = "reject",
    [WEIR_POLICY_REQUEUE] = "requeue",
    [WEIR_POLICY_REQUEUE_ONCE] = "requeue_once",
    [WEIR_POLICY_DROP] = "drop",
    [WEIR_POLICY_STOP] = "stop",
    [WEIR_POLICY_DEAD_LETTER] = "dead_letter",
};

const char *const topology_ordering_names[WEIR_ORDERING_COUNT] = {
    [WEIR_ORDERING_NONE] = "none",
    [WEIR_ORDERING_PARTITION] = "partition",
    [WEIR_ORDERING_KEY] = "key",
};

size_t topology_routable(const struct topology *topology)
{
    return topology->batcher_count - (topology->has_dead_letter ? 1 : 0);
}

const struct topology_batcher *topology_find_batcher(
    const struct topology *topology, const char *name)
{
    for (size_t i = 0; i < topology->batcher_count; i++) {
        if (strcmp(topology->batchers[i].name, name) == 0)
            return &topology->batchers[i];
    }
    return NULL;
}

static bool read_source(struct build *build, struct weir_bytes *ret_text)
{
    const struct report_where where = {.place = {1, 1}, .path = ""};
    const struct topology_source *source = build->source;
    struct weir_error err;
    enum weir_status status;

    if (!source->text) {
        status = file_read(build->reader.storage, source->file, LOAD_SIZE_MAX,
                           ret_text, &err);
        if (status == WEIR_REJECT)
            report_at(build->reader.report, &where, "the file %s", err.text);
        if (status == WEIR_RETRY)
            build->reader.report->is_out_of_memory = true;
        return status == WEIR_OK;
    }
    *ret_text = weir_str(source->text);
    if (ret_text->size <= LOAD_SIZE_MAX)
        return true;
    report_at(build->reader.report, &where, "the text is larger than %d KiB",
              LOAD_SIZE_MAX / 1024);
    return false;
}

static void build_all(struct build *build)
{
    const struct interpolation inter = {.storage = build->reader.storage,
                                        .report = build->reader.report,
                                        .folder = build->reader.folder};
    const char *const *override = build->source->overrides;
    struct weir_bytes text;

    if (!build->reader.folder || !build->topology || !read_source(build, &text))
        return;
    build->root = load_yaml(build->reader.storage, build->reader.report, text);
    if (!build->root)
        return;
    for (; override && *override; override++)
        override_apply(build->reader.storage, build->reader.report, build->root,
                       *override);
    interpolate_tree(&inter, build->root);
    build_read(build);
    build_check(build);
    build_shares(build);
}

enum weir_status topology_load(const struct topology_source *source,
                               const struct connectors *connectors,
                               struct topology **ret_topology,
                               struct topology_errors *ret_errors)
{
    struct report report = {.errors = ret_errors, .file = source->file};
    struct storage *storage = storage_create();
    struct build build = {.source = source, .connectors = connectors};

    *ret_errors = (struct topology_errors){0};
    if (!storage)
        return WEIR_RETRY;
    build.reader.storage = storage;
    build.reader.report = &report;
    build.reader.folder = file_folder(storage, source->file);
    build.topology = storage_alloc(storage, sizeof *build.topology);
    build_all(&build);
    report_sort(&report);
    if (!storage_is_exhausted(storage) && !report.is_out_of_memory &&
        ret_errors->error_count == 0) {
        build.topology->storage = storage;
        build.topology->has_secret = report.has_secret;
        *ret_topology = build.topology;
        return WEIR_OK;
    }
    if (storage_is_exhausted(storage))
        report.is_out_of_memory = true;
    storage_destroy(storage);
    return report.is_out_of_memory ? WEIR_RETRY : WEIR_REJECT;
}

void topology_destroy(struct topology *topology)
{
    if (topology)
        storage_destroy(topology->storage);
}

enum weir_status topology_check_handler(const struct topology *topology,
                                        const struct weir_handler *handler,
                                        const char *file,
                                        struct topology_errors *errors)
{
    struct report report = {.errors = errors, .file = file};
    const size_t before = errors->error_count;

    for (size_t i = 0; i < topology->batcher_count; i++) {
        const struct topology_batcher *batcher = &topology->batchers[i];
        char path[REPORT_PATH_MAX];
        const struct report_where where = {
            .place = {batcher->line, batcher->column}, .path = path};

        if (batcher->sink || handler->handle_batch)
            continue;
        (void)snprintf(path, sizeof path, "batchers.%s.sink", batcher->name);
        report_at(&report, &where,
                  "is required: %s has no handle_batch() that could take its "
                  "batches",
                  handler->name);
    }
    if (report.is_out_of_memory)
        return WEIR_RETRY;
    return errors->error_count == before ? WEIR_OK : WEIR_REJECT;
}
