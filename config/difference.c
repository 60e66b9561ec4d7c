/*
 * difference.c - what two topology files say differently and a run can't take
 * over.
 *
 * Two trees of settings are walked together.  What is compared are values, not
 * how they are written: 1s and 1000ms are one, and so are a default and the
 * same value written out.  Three keys have a default that depends on others, or
 * on the machine: of them the values are compared that came out.
 *
 * Threads: the caller's; topologies are only read.
 */
#include "difference.h"

#include <stdio.h>
#include <string.h>

#include "settings_tree.h"
#include "value.h"

struct walk {
    tuning_change_fn found;
    void *opaque;
    bool (*is_apart)(const char *path); /* may change, or is compared
                                           elsewhere; may be NULL */
    const char *prefix;                 /* "producer.kafka." */
};

static void tell(const struct walk *walk, const char *path,
                 const struct weir_settings *from,
                 const struct weir_settings *to)
{
    struct tuning_change change = {.from = "", .to = ""};

    (void)snprintf(change.path, sizeof change.path, "%s%s", walk->prefix, path);
    if (from && from->is_present && from->kind == SETTINGS_SCALAR)
        (void)settings_shown(from, change.from, sizeof change.from);
    if (to && to->is_present && to->kind == SETTINGS_SCALAR)
        (void)settings_shown(to, change.to, sizeof change.to);
    walk->found(walk->opaque, &change);
}

static bool is_equal_scalar(const struct weir_settings *a,
                            const struct weir_settings *b)
{
    if (a->has_number && b->has_number)
        return a->number == b->number;
    return strcmp(a->text ? a->text : "", b->text ? b->text : "") == 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than the file. */
static bool is_equal(const struct weir_settings *a,
                     const struct weir_settings *b)
{
    const struct weir_settings *x = a->first, *y = b->first;

    if (a->kind != b->kind || a->is_present != b->is_present ||
        strcmp(a->name ? a->name : "", b->name ? b->name : "") != 0)
        return false;
    if (a->kind == SETTINGS_SCALAR)
        return is_equal_scalar(a, b);
    while (x && y && is_equal(x, y)) {
        x = x->next;
        y = y->next;
    }
    return !x && !y;
}

static const struct weir_settings *child_of(const struct weir_settings *map,
                                            const char *name)
{
    const struct weir_settings *child = map ? map->first : NULL;

    while (child && (!child->name || strcmp(child->name, name) != 0))
        child = child->next;
    return child;
}

/* Whether it makes a difference that a mapping is there, whatever is in it: of
 * a connector (`tls: {}`), but of the file's own sections only this one. */
static bool is_told_when_written(const struct walk *walk, const char *path)
{
    return !walk->is_apart || strcmp(path, "admin") == 0;
}

static void walk_maps(const struct walk *walk, const char *path,
                      const struct weir_settings *from,
                      const struct weir_settings *to);

/* Either may be NULL: it isn't there. */
/* NOLINTNEXTLINE(misc-no-recursion): no deeper than the file. */
static void walk_one(const struct walk *walk, const char *path,
                     const struct weir_settings *from,
                     const struct weir_settings *to)
{
    const bool was = from && from->is_present, is = to && to->is_present;
    const struct weir_settings *some = is ? to : from;

    if (walk->is_apart && walk->is_apart(path))
        return;
    if (!was && !is)
        return;
    if (some->kind != SETTINGS_MAP || (from && to && from->kind != to->kind)) {
        if (!was || !is || !is_equal(from, to))
            tell(walk, path, from, to);
        return;
    }
    if (was != is && is_told_when_written(walk, path))
        tell(walk, path, from, to);
    walk_maps(walk, path, from, to);
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than the file. */
static void walk_maps(const struct walk *walk, const char *path,
                      const struct weir_settings *from,
                      const struct weir_settings *to)
{
    char below[TUNING_PATH_SIZE];
    const char *dot = path[0] ? "." : "";

    for (const struct weir_settings *child = from ? from->first : NULL; child;
         child = child->next) {
        (void)snprintf(below, sizeof below, "%s%s%s", path, dot, child->name);
        walk_one(walk, below, child, child_of(to, child->name));
    }
    for (const struct weir_settings *child = to ? to->first : NULL; child;
         child = child->next) {
        if (child_of(from, child->name))
            continue;
        (void)snprintf(below, sizeof below, "%s%s%s", path, dot, child->name);
        walk_one(walk, below, NULL, child);
    }
}

static void walk_trees(const struct walk *like, const char *prefix,
                       const struct weir_settings *from,
                       const struct weir_settings *to)
{
    struct walk walk = *like;

    walk.prefix = prefix;
    walk_maps(&walk, "", from, to);
}

/* A word that differs as such: a connector's name, a plugin. */
static void tell_word(const struct walk *walk, const char *path,
                      const char *from, const char *to)
{
    struct tuning_change change;

    from = from ? from : "";
    to = to ? to : "";
    if (strcmp(from, to) == 0)
        return;
    (void)snprintf(change.path, sizeof change.path, "%s", path);
    (void)snprintf(change.from, sizeof change.from, "%s", from);
    (void)snprintf(change.to, sizeof change.to, "%s", to);
    walk->found(walk->opaque, &change);
}

static void tell_size(const struct walk *walk, const char *path, size_t from,
                      size_t to)
{
    char texts[2][TUNING_TEXT_SIZE];

    value_size_format((int64_t)from, texts[0], sizeof texts[0]);
    value_size_format((int64_t)to, texts[1], sizeof texts[1]);
    tell_word(walk, path, texts[0], texts[1]);
}

static bool is_apart_top(const char *path)
{
    return tuning_has_key(path) || strcmp(path, "memory") == 0;
}

static bool is_apart_producer(const char *path)
{
    char whole[TUNING_PATH_SIZE];

    (void)snprintf(whole, sizeof whole, "producer.%s", path);
    return tuning_has_key(whole);
}

static bool is_apart_processors(const char *path)
{
    char whole[TUNING_PATH_SIZE];

    (void)snprintf(whole, sizeof whole, "processors.%s", path);
    return tuning_has_key(whole) || strcmp(path, "ordering") == 0 ||
           strcmp(path, "min_demand") == 0;
}

static void differ_producer(const struct walk *like,
                            const struct topology_producer *from,
                            const struct topology_producer *to)
{
    struct walk walk = *like;
    char prefix[TUNING_PATH_SIZE];

    walk.is_apart = is_apart_producer;
    walk_trees(&walk, "producer.", from->own, to->own);
    if (from->ops != to->ops) {
        tell_word(like, "producer", from->ops->name, to->ops->name);
        return;
    }
    (void)snprintf(prefix, sizeof prefix, "producer.%s.", from->ops->name);
    walk_trees(like, prefix, from->settings[0], to->settings[0]);
}

static const char *handler_name(const struct topology_handler *handler)
{
    if (handler->builtin)
        return handler->builtin->name;
    return handler->is_linked ? "linked" : handler->plugin;
}

static void differ_processors(const struct walk *like,
                              const struct topology_processors *from,
                              const struct topology_processors *to)
{
    struct walk walk = *like;
    char demands[2][TUNING_TEXT_SIZE];

    walk.is_apart = is_apart_processors;
    walk_trees(&walk, "processors.", from->own, to->own);
    tell_word(like, "processors.ordering",
              topology_ordering_names[from->ordering],
              topology_ordering_names[to->ordering]);
    (void)snprintf(demands[0], sizeof demands[0], "%u", from->min_demand);
    (void)snprintf(demands[1], sizeof demands[1], "%u", to->min_demand);
    tell_word(like, "processors.min_demand", demands[0], demands[1]);
    tell_word(like, "processors.handler", handler_name(&from->handler),
              handler_name(&to->handler));
    walk_trees(like, "processors.handler.options.", from->handler.options,
               to->handler.options);
}

static void differ_batcher(const struct walk *like,
                           const struct topology_batcher *from,
                           const struct topology_batcher *to)
{
    struct walk walk = *like;
    char prefix[TUNING_PATH_SIZE];

    walk.is_apart = tuning_batcher_has_key;
    (void)snprintf(prefix, sizeof prefix, "batchers.%s.", from->name);
    walk_trees(&walk, prefix, from->own, to->own);
    if (from->sink != to->sink) {
        (void)snprintf(prefix, sizeof prefix, "batchers.%s.sink", from->name);
        tell_word(like, prefix, from->sink ? from->sink->name : NULL,
                  to->sink ? to->sink->name : NULL);
    } else if (from->sink) {
        (void)snprintf(prefix, sizeof prefix, "batchers.%s.sink.%s.",
                       from->name, from->sink->name);
        walk_trees(like, prefix, from->settings[0], to->settings[0]);
    }
}

static void differ_batchers(const struct walk *walk,
                            const struct topology *running,
                            const struct topology *next)
{
    char path[TUNING_PATH_SIZE];

    for (size_t i = 0; i < running->batcher_count; i++) {
        const struct topology_batcher *own = &running->batchers[i];
        const struct topology_batcher *other =
            topology_find_batcher(next, own->name);

        (void)snprintf(path, sizeof path, "batchers.%s", own->name);
        if (other)
            differ_batcher(walk, own, other);
        else
            tell_word(walk, path, "there", "gone");
    }
    for (size_t i = 0; i < next->batcher_count; i++) {
        (void)snprintf(path, sizeof path, "batchers.%s",
                       next->batchers[i].name);
        if (!topology_find_batcher(running, next->batchers[i].name))
            tell_word(walk, path, "", "new");
    }
}

void topology_differences(const struct topology *running,
                          const struct topology *next, tuning_change_fn found,
                          void *opaque)
{
    struct walk walk = {.found = found, .opaque = opaque};
    struct walk top = walk;

    top.is_apart = is_apart_top;
    walk_trees(&top, "", running->own, next->own);
    tell_size(&walk, "memory", running->memory, next->memory);
    differ_producer(&walk, &running->producer, &next->producer);
    differ_processors(&walk, &running->processors, &next->processors);
    differ_batchers(&walk, running, next);
}
