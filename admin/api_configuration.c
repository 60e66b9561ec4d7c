/*
 * api_configuration.c - /api/v1/configuration: what is written, and the
 * defaults beside it.
 *
 * The shape is the topology file's; a value that was changed since the start is
 * as it holds now.  What may be shown of a value, config/
 * decides: a secret is struck out there, and nothing here sees it.
 *
 * Threads: the admin's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "reload.h"
#include "settings_tree.h"

static json_t *scalar(const struct weir_settings *setting)
{
    const size_t size = (setting->text ? strlen(setting->text) : 0) +
                        sizeof SETTINGS_STRUCK_OUT + 1;
    char *out = malloc(size);
    json_t *json = NULL;

    if (out)
        json = plain_json(settings_shown(setting, out, size));
    free(out);
    return json;
}

static json_t *tree(const struct weir_settings *setting);

/* What is there of `setting`, a mapping, into `object`. */
static void add_all(json_t *object, const struct weir_settings *setting)
{
    for (const struct weir_settings *child = setting->first; child;
         child = child->next) {
        if (child->is_present)
            (void)json_object_set_new(object, child->name, tree(child));
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than an option table. */
static json_t *tree(const struct weir_settings *setting)
{
    json_t *json;

    if (setting->kind == SETTINGS_SCALAR)
        return scalar(setting);
    if (setting->kind == SETTINGS_MAP) {
        json = json_object();
        add_all(json, setting);
        return json;
    }
    json = json_array();
    for (const struct weir_settings *child = setting->first; child;
         child = child->next)
        (void)json_array_append_new(json, tree(child));
    return json;
}

static json_t *producer(const struct topology_producer *producer)
{
    json_t *json = tree(producer->own);

    (void)json_object_set_new(json, producer->ops->name,
                              tree(producer->settings[0]));
    return json;
}

static json_t *handler(const struct topology_handler *handler,
                       const struct weir_handler *loaded)
{
    json_t *json = json_object();

    if (handler->plugin)
        (void)json_object_set_new(json, "plugin", plain_json(handler->plugin));
    else if (handler->is_linked)
        (void)json_object_set_new(json, "linked", json_true());
    else
        (void)json_object_set_new(json, loaded->name, json_object());
    (void)json_object_set_new(json, "options", tree(handler->options));
    return json;
}

static json_t *processors(const struct topology_processors *processors,
                          const struct weir_handler *loaded)
{
    json_t *json = tree(processors->own);

    (void)json_object_set_new(json, "handler",
                              handler(&processors->handler, loaded));
    return json;
}

static json_t *batcher(const struct topology_batcher *batcher)
{
    json_t *json = tree(batcher->own);
    json_t *sink = json_object();

    if (batcher->sink) {
        (void)json_object_set_new(sink, batcher->sink->name,
                                  tree(batcher->settings[0]));
        (void)json_object_set_new(json, "sink", sink);
    } else {
        json_decref(sink);
    }
    return json;
}

/* Where `path` is in `json`; `ret_name` is its last part. */
static json_t *object_of(json_t *json, const char *path, const char **ret_name)
{
    const char *dot = strchr(path, '.');
    char name[TUNING_PATH_SIZE];

    while (json && dot) {
        (void)snprintf(name, sizeof name, "%.*s", (int)(dot - path), path);
        if (!json_object_get(json, name))
            (void)json_object_set_new(json, name, json_object());
        json = json_object_get(json, name);
        path = dot + 1;
        dot = strchr(path, '.');
    }
    *ret_name = path;
    return json;
}

/* A value that is another one by now. */
static void put(void *opaque, const struct tuning_change *change)
{
    const char *name;
    json_t *object = object_of(opaque, change->path, &name);

    if (strcmp(change->to, "none") == 0)
        (void)json_object_del(object, name);
    else
        (void)json_object_set_new(object, name, plain_json(change->to));
}

static void put_changed(const struct site *site, json_t *json)
{
    const struct topology *topology = site->config->topology;
    struct tuning start, now = {.batchers = NULL};

    if (tuning_read(topology, &start) == WEIR_OK &&
        pipeline_tuning(site->config->pipeline, &now) == WEIR_OK)
        tuning_differences(topology, &start, &now, put, json);
    tuning_finish(&start);
    tuning_finish(&now);
}

void page_configuration(const struct site *site, const struct request *request,
                        struct answer *answer)
{
    const struct topology *topology = site->config->topology;
    json_t *json = tree(topology->own), *batchers = json_object();

    (void)request;
    for (size_t i = 0; i < topology->batcher_count; i++)
        (void)json_object_set_new(batchers, topology->batchers[i].name,
                                  batcher(&topology->batchers[i]));
    (void)json_object_set_new(json, "producer", producer(&topology->producer));
    (void)json_object_set_new(
        json, "processors",
        processors(&topology->processors, site->config->handler));
    (void)json_object_set_new(json, "batchers", batchers);
    put_changed(site, json);
    answer_json(answer, 200, json);
}
