/*
 * settings.c - what a topology file says to one connector or handler.
 *
 * A tree of values.  A connector's has one entry for every option of its table,
 * written or not, with the default in it; a handler's has what was written.
 *
 *     kafka (top)                     root: share, report
 *      |- brokers   "localhost:9092"
 *      |- topics    list: "a", "b"
 *      |- tls       mapping, not written
 *      |    `- verify  true (a default)
 *      `- properties  mapping: "client.rack" -> "eu-1"
 *
 * A mapping within a tree is itself a struct weir_settings, so a group needs no
 * object of its own.  Every instance of a connector has its own copy, since its
 * share is its own.
 *
 * Threads: written by the loader, then only read.
 */
#include "settings_tree.h"

#include <stdio.h>
#include <string.h>

#include "value.h"

struct weir_settings *settings_create(struct storage *storage,
                                      struct weir_settings *parent,
                                      const char *name,
                                      struct settings_root *root)
{
    struct weir_settings *settings = storage_alloc(storage, sizeof *settings);

    if (!settings)
        return NULL;
    settings->name = name;
    settings->root = root;
    settings->parent = parent;
    if (!parent)
        return settings;
    if (parent->last)
        parent->last->next = settings;
    else
        parent->first = settings;
    parent->last = settings;
    parent->count++;
    return settings;
}

static struct weir_settings *clone_below(struct storage *storage,
                                         struct weir_settings *parent,
                                         const struct weir_settings *original,
                                         struct settings_root *root)
{
    struct weir_settings *copy =
        settings_create(storage, parent, original->name, root);

    if (!copy)
        return NULL;
    copy->kind = original->kind;
    copy->is_present = original->is_present;
    copy->has_number = original->has_number;
    copy->text = original->text;
    copy->number = original->number;
    copy->option = original->option;
    copy->node = original->node;
    for (const struct weir_settings *child = original->first; child;
         child = child->next) {
        if (!clone_below(storage, copy, child, root))
            return NULL;
    }
    return copy;
}

struct weir_settings *settings_clone(struct storage *storage,
                                     const struct weir_settings *settings,
                                     const struct weir_share *share)
{
    struct settings_root *root = storage_alloc(storage, sizeof *root);

    if (!root)
        return NULL;
    root->share = *share;
    return clone_below(storage, NULL, settings, root);
}

static size_t path_append(const struct weir_settings *settings, char *path,
                          size_t size)
{
    size_t used;

    if (settings->node) {
        node_path(settings->node, path, size);
        return strlen(path);
    }
    used = settings->parent ? path_append(settings->parent, path, size) : 0;
    if (settings->name && used < size)
        (void)snprintf(path + used, size - used, "%s%s", used > 0 ? "." : "",
                       settings->name);
    return strlen(path);
}

const struct node *settings_place(const struct weir_settings *settings,
                                  char *path, size_t size)
{
    path[0] = '\0';
    (void)path_append(settings, path, size);
    while (!settings->node && settings->parent)
        settings = settings->parent;
    return settings->node;
}

/*
 * The entry that the beginning of `path` names, and what is left of it.  An
 * entry may have dots in its name ("client.rack"), so the longest wins.
 */
static const struct weir_settings *find_first(
    const struct weir_settings *settings, const char **path)
{
    const struct weir_settings *best = NULL;
    size_t best_size = 0;

    for (const struct weir_settings *child = settings->first; child;
         child = child->next) {
        const size_t size = child->name ? strlen(child->name) : 0;

        if (size > best_size && strncmp(*path, child->name, size) == 0 &&
            ((*path)[size] == '\0' || (*path)[size] == '.')) {
            best = child;
            best_size = size;
        }
    }
    if (best)
        *path += best_size + ((*path)[best_size] == '.' ? 1 : 0);
    return best;
}

static const struct weir_settings *find(const struct weir_settings *settings,
                                        const char *path)
{
    while (settings && *path != '\0')
        settings = find_first(settings, &path);
    return settings && settings->is_present ? settings : NULL;
}

bool weir_settings_has(const struct weir_settings *settings, const char *path)
{
    return find(settings, path) != NULL;
}

const char *weir_settings_string(const struct weir_settings *settings,
                                 const char *path)
{
    const struct weir_settings *found = find(settings, path);

    return found && found->kind == SETTINGS_SCALAR ? found->text : NULL;
}

int64_t weir_settings_int(const struct weir_settings *settings,
                          const char *path, int64_t fallback)
{
    const struct weir_settings *found = find(settings, path);
    int64_t value;

    if (!found || found->kind != SETTINGS_SCALAR)
        return fallback;
    if (found->has_number)
        return found->number;
    if (found->option) /* a word: "auto", "none" */
        return fallback;
    if (!value_int(found->text, &value) ||
        !value_duration(found->text, &value) ||
        !value_size(found->text, &value))
        return value;
    return fallback;
}

bool weir_settings_bool(const struct weir_settings *settings, const char *path,
                        bool fallback)
{
    const struct weir_settings *found = find(settings, path);
    bool value;

    if (!found || found->kind != SETTINGS_SCALAR)
        return fallback;
    return value_bool(found->text, &value) ? fallback : value;
}

size_t weir_settings_count(const struct weir_settings *settings,
                           const char *path)
{
    const struct weir_settings *found = find(settings, path);

    if (!found)
        return 0;
    return found->kind == SETTINGS_SCALAR ? 1 : found->count;
}

static const struct weir_settings *child_at(const struct weir_settings *parent,
                                            size_t index)
{
    const struct weir_settings *child = parent->first;

    for (; child && index > 0; index--)
        child = child->next;
    return child;
}

const char *weir_settings_item(const struct weir_settings *settings,
                               const char *path, size_t index)
{
    const struct weir_settings *found = find(settings, path);

    if (found && found->kind != SETTINGS_SCALAR)
        found = child_at(found, index);
    else if (index > 0)
        return NULL;
    return found && found->kind == SETTINGS_SCALAR ? found->text : NULL;
}

const char *weir_settings_key(const struct weir_settings *settings,
                              const char *path, size_t index)
{
    const struct weir_settings *found = find(settings, path);

    if (found && found->kind == SETTINGS_MAP)
        found = child_at(found, index);
    else
        found = NULL;
    return found ? found->name : NULL;
}

const struct weir_settings *weir_settings_group(
    const struct weir_settings *settings, const char *path, size_t index)
{
    const struct weir_settings *found = find(settings, path);

    if (found && found->kind == SETTINGS_LIST)
        found = child_at(found, index);
    else if (index > 0)
        found = NULL;
    return found && found->kind == SETTINGS_MAP ? found : NULL;
}

const struct weir_share *weir_settings_share(
    const struct weir_settings *settings)
{
    return &settings->root->share;
}

/* As find(), but down to the nearest entry, written or not. */
WEIR_PRINTF(4, 0)
static void note(const struct weir_settings *settings, const char *path,
                 bool is_warning, const char *fmt, va_list args)
{
    const struct weir_settings *found = settings;
    char whole[REPORT_PATH_MAX];
    const struct node *node;
    size_t used;

    while (found && *path != '\0') {
        settings = found;
        found = find_first(settings, &path);
    }
    if (found)
        settings = found;
    node = settings_place(settings, whole, sizeof whole);
    used = strlen(whole);
    if (*path != '\0')
        (void)snprintf(whole + used, sizeof whole - used, ".%s", path);
    report_add(settings->root->report,
               &(struct report_where){.place = node->kind == NODE_MAP
                                                   ? node->key_place
                                                   : node->value_place,
                                      .path = whole,
                                      .is_warning = is_warning},
               fmt, args);
}

void weir_settings_refuse(const struct weir_settings *settings,
                          const char *path, const char *fmt, ...)
{
    va_list args;

    if (!settings->root->report)
        return;
    va_start(args, fmt);
    note(settings, path, false, fmt, args);
    va_end(args);
}

void weir_settings_warn(const struct weir_settings *settings, const char *path,
                        const char *fmt, ...)
{
    va_list args;

    if (!settings->root->report)
        return;
    va_start(args, fmt);
    note(settings, path, true, fmt, args);
    va_end(args);
}
