/*
 * override.c - --set PATH=VALUE, into the nodes.
 *
 * A path is what errors print: "batchers.default.batch_size", "bindings[0].x".
 * A mapping on the way that isn't there is added; a name that stands alone on
 * the way (`sink: discard`) becomes the key that it stands for.  The value is
 * text, whatever it looks like; a list is written with commas.
 *
 * Threads: none; the loader's.
 */
#include "override.h"

#include <stdlib.h>
#include <string.h>

static const struct place nowhere = {0, 0};

struct override {
    struct storage *storage;
    struct report *report;
    const char *path; /* whole, for errors */
};

static struct node *add_child(const struct override *override,
                              struct node *parent, enum node_kind kind,
                              struct weir_bytes key)
{
    struct node *child = node_create(override->storage, kind, nowhere);

    if (!child)
        return NULL;
    child->key = storage_copy(override->storage, key.data, key.size);
    if (!child->key)
        return NULL;
    node_append(parent, child);
    return child;
}

/* A name alone is the only key of a mapping. */
static bool open_scalar(const struct override *override, struct node *node)
{
    const char *name = node->text;
    const bool is_empty = node_is_empty(node);

    node->kind = NODE_MAP;
    node->text = "";
    return is_empty ||
           add_child(override, node, NODE_SCALAR, weir_str(name)) != NULL;
}

/* The longest key that `path` begins with: keys may hold dots. */
static struct node *find_longest(const struct node *map, const char *path,
                                 size_t *ret_size)
{
    struct node *best = NULL;
    size_t best_size = 0;

    for (struct node *child = map->first; child; child = child->next) {
        const size_t size = strlen(child->key);

        if (size > best_size && strncmp(path, child->key, size) == 0 &&
            strchr(".[", path[size])) {
            best = child;
            best_size = size;
        }
    }
    if (best)
        *ret_size = best_size;
    return best;
}

static struct node *find_element(const struct node *list, const char *path,
                                 size_t *ret_size)
{
    struct node *child = list->first;
    char *end;
    unsigned long index;

    if (path[0] != '[' || path[1] < '0' || path[1] > '9')
        return NULL;
    index = strtoul(path + 1, &end, 10);
    if (*end != ']')
        return NULL;
    for (; child && index > 0; index--)
        child = child->next;
    *ret_size = (size_t)(end + 1 - path);
    return child;
}

/* The child that `path` goes on with, made when it isn't there. */
static struct node *step(const struct override *override, struct node *node,
                         const char *path, size_t *ret_size)
{
    struct node *child;

    if (node->kind == NODE_SCALAR && !open_scalar(override, node))
        return NULL;
    if (node->kind == NODE_LIST)
        return find_element(node, path, ret_size);
    if (node->kind != NODE_MAP)
        return NULL;
    child = find_longest(node, path, ret_size);
    if (child)
        return child;
    *ret_size = strcspn(path, ".[");
    if (*ret_size == 0)
        return NULL;
    return add_child(override, node, NODE_SCALAR,
                     (struct weir_bytes){path, *ret_size});
}

static void set_text(struct node *node, const char *text)
{
    node->kind = NODE_SCALAR;
    node->first = NULL;
    node->last = NULL;
    node->count = 0;
    node->text = text;
    node->is_quoted = true;
    node->value_place = nowhere;
    node->key_place = nowhere;
}

static void walk(const struct override *override, struct node *node,
                 const char *path, const char *value)
{
    const struct report_where where = {.path = override->path};

    while (*path != '\0') {
        size_t size = 0;

        node = step(override, node, path, &size);
        if (!node && storage_is_exhausted(override->storage))
            return;
        path += size;
        if (*path == '.' && path[1] != '\0')
            path++;
        else if (*path != '\0' && *path != '[')
            node = NULL;
        if (!node) {
            report_at(override->report, &where,
                      "there is no such place: a path is keys with dots "
                      "between them, as in batchers.default.batch_size");
            return;
        }
    }
    set_text(node, value);
}

void override_apply(struct storage *storage, struct report *report,
                    struct node *root, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    struct override override = {
        .storage = storage, .report = report, .path = ""};
    const char *path;

    if (!equals || equals == assignment) {
        report_at(report, &(struct report_where){.path = ""},
                  "a value is set with PATH=VALUE, as in "
                  "batchers.default.batch_size=10");
        return;
    }
    path = storage_copy(storage, assignment, (size_t)(equals - assignment));
    if (!path)
        return;
    override.path = path;
    walk(&override, root, path, equals + 1);
}
