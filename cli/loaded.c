/*
 * loaded.c - a topology and its handler, ready to be run or looked at.
 *
 * Joins config/, which knows no plugin, and processors/plugin/, which knows no
 * topology.  A plugin is only loaded when nothing else is wrong: its
 * constructors are code.
 *
 * Threads: the caller's.
 */
#include "loaded.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "connectors.h"
#include "core_files.h"
#include "log.h"

enum { LINE_SIZE = 1024 };

static enum weir_status find_handler(struct loaded *loaded,
                                     const struct weir_handler *linked,
                                     struct weir_error *err)
{
    const struct topology_handler *wanted =
        &loaded->topology->processors.handler;
    enum weir_status status;

    if (wanted->builtin) {
        loaded->handler = wanted->builtin;
        return WEIR_OK;
    }
    if (wanted->is_linked) {
        loaded->handler = linked;
        return WEIR_OK;
    }
    status = plugin_open(wanted->plugin, &loaded->plugin, err);
    if (status == WEIR_OK)
        loaded->handler = plugin_handler(loaded->plugin);
    return status;
}

static enum weir_status load(const struct loaded_request *request,
                             struct loaded *ret_loaded, struct weir_error *err)
{
    const struct topology_source source = {
        .file = request->file,
        .text = request->text,
        .overrides = request->overrides,
        .until_end = request->until_end,
        .has_linked_handler = request->linked != NULL,
    };
    enum weir_status status;

    *ret_loaded = (struct loaded){.topology = NULL};
    status = topology_load(&source, connectors_all(), &ret_loaded->topology,
                           &ret_loaded->errors);
    if (status != WEIR_OK)
        (void)weir_fail(err, status, "%s: the topology is refused",
                        request->file);
    return status;
}

static enum weir_status check_handler(struct loaded *loaded,
                                      const struct loaded_request *request,
                                      struct weir_error *err)
{
    const enum weir_status status = topology_check_handler(
        loaded->topology, loaded->handler, request->file, &loaded->errors);

    if (status != WEIR_OK)
        (void)weir_fail(err, status, "%s: the handler %s does not fit",
                        request->file, loaded->handler->name);
    return status;
}

enum weir_status loaded_open(const struct loaded_request *request,
                             struct loaded *ret_loaded, struct weir_error *err)
{
    enum weir_status status = load(request, ret_loaded, err);

    if (status == WEIR_OK)
        status = find_handler(ret_loaded, request->linked, err);
    return status == WEIR_OK ? check_handler(ret_loaded, request, err) : status;
}

void loaded_close(struct loaded *loaded)
{
    topology_destroy(loaded->topology);
    plugin_close(loaded->plugin);
    topology_errors_finish(&loaded->errors);
    *loaded = (struct loaded){.topology = NULL};
}

void loaded_each_error(const struct loaded *loaded, loaded_line_fn line,
                       void *opaque)
{
    char text[LINE_SIZE];

    for (size_t i = 0; i < loaded->errors.count; i++) {
        const struct topology_error *error = &loaded->errors.list[i];

        (void)topology_error_format(error, text, sizeof text);
        line(opaque, error->is_warning, text);
    }
}

static void log_line(void *opaque, bool is_warning, const char *line)
{
    (void)opaque;
    log_write(is_warning ? WEIR_LOG_WARNING : WEIR_LOG_ERROR, "%s", line);
}

void loaded_log_errors(const struct loaded *loaded)
{
    loaded_each_error(loaded, log_line, NULL);
}

enum weir_status loaded_first_error(const struct loaded *loaded,
                                    enum weir_status status,
                                    struct weir_error *err)
{
    char text[sizeof err->text];

    for (size_t i = 0; i < loaded->errors.count; i++) {
        const struct topology_error *error = &loaded->errors.list[i];

        if (error->is_warning)
            continue;
        (void)topology_error_format(error, text, sizeof text);
        return weir_fail(err, status, "%s", text);
    }
    return status;
}

static void print_line(void *opaque, bool is_warning, const char *line)
{
    (void)opaque;
    (void)is_warning; /* the line says it */
    (void)fprintf(stderr, "%s\n", line);
}

/* The plugin, as errors of the file are said: where, which key, what. */
static void print_refusal(const struct loaded *loaded, const char *file,
                          const struct weir_error *err)
{
    static const char path[] = "processors.handler.plugin";
    const struct topology_handler *wanted =
        loaded->topology ? &loaded->topology->processors.handler : NULL;

    if (!wanted || !wanted->plugin)
        (void)fprintf(stderr, "%s: %s\n", file, err->text);
    else if (wanted->plugin_line == 0)
        (void)fprintf(stderr, "--set: %s: %s\n", path, err->text);
    else
        (void)fprintf(stderr, "%s:%u:%u: %s: %s\n", file, wanted->plugin_line,
                      wanted->plugin_column, path, err->text);
}

/* Here and not in loaded_open(): a program that embeds weir decides itself. */
static void guard(const struct topology *topology)
{
    if (topology && topology->has_secret && !topology->allows_core_files)
        core_files_forbid();
}

enum weir_status loaded_open_guarded(const struct loaded_request *request,
                                     struct loaded *ret_loaded,
                                     struct weir_error *err)
{
    const enum weir_status status = loaded_open(request, ret_loaded, err);

    guard(ret_loaded->topology);
    return status;
}

enum weir_status loaded_open_or_say(const struct loaded_request *request,
                                    struct loaded *ret_loaded)
{
    struct weir_error err = {0};
    const enum weir_status status =
        loaded_open_guarded(request, ret_loaded, &err);

    loaded_each_error(ret_loaded, print_line, NULL);
    if (status != WEIR_OK && ret_loaded->errors.error_count == 0)
        print_refusal(ret_loaded, request->file, &err);
    if (status != WEIR_OK)
        loaded_close(ret_loaded);
    return status;
}

struct loaded_request loaded_request(const struct call *call, const char *file,
                                     const struct loaded_options *options)
{
    return (struct loaded_request){
        .file = file,
        .overrides = options->overrides.list,
        .until_end = options->until_end,
        .linked = call->linked,
    };
}

enum weir_status loaded_open_file(const struct call *call, const char *file,
                                  const struct loaded_options *options,
                                  struct loaded *ret_loaded)
{
    const struct loaded_request request = loaded_request(call, file, options);

    return loaded_open_or_say(&request, ret_loaded);
}

/* ---- once more ---- */

/* What came through a pipe is gone. */
static enum weir_status can_be_read_again(const char *file,
                                          struct weir_error *err)
{
    struct stat meta;

    if (stat(file, &meta) != 0)
        return weir_fail(err, WEIR_REJECT, "%s: can't be read: %s", file,
                         strerror(errno));
    if (!S_ISREG(meta.st_mode))
        return weir_fail(err, WEIR_REJECT,
                         "%s: is no regular file, which can't be read again",
                         file);
    return WEIR_OK;
}

static bool is_same_handler(const struct topology_handler *a,
                            const struct topology_handler *b)
{
    return a->builtin == b->builtin && a->is_linked == b->is_linked &&
           (!a->plugin || !b->plugin ? a->plugin == b->plugin
                                     : strcmp(a->plugin, b->plugin) == 0);
}

enum weir_status loaded_read_again(const struct loaded *loaded,
                                   const struct loaded_request *request,
                                   struct topology **ret_next,
                                   struct weir_error *err)
{
    const struct topology *running = loaded->topology;
    struct loaded again = {.topology = NULL};
    enum weir_status status = can_be_read_again(request->file, err);

    if (status != WEIR_OK)
        return status;
    status = load(request, &again, err);
    if (status == WEIR_OK && again.topology->has_secret &&
        !running->allows_core_files)
        core_files_forbid();
    if (status == WEIR_OK &&
        is_same_handler(&running->processors.handler,
                        &again.topology->processors.handler)) {
        again.handler = loaded->handler;
        status = check_handler(&again, request, err);
    }
    if (status == WEIR_OK || again.errors.count > 1) /* one is in `err` */
        loaded_log_errors(&again);
    if (status == WEIR_OK) {
        *ret_next = again.topology;
        again.topology = NULL; /* the caller's */
    } else {
        status = loaded_first_error(&again, status, err);
    }
    loaded_close(&again);
    return status;
}
