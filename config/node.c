/*
 * node.c - what a topology file says, before anything is known of its meaning.
 */
#include "node.h"

#include <stdio.h>
#include <string.h>

struct node *node_create(struct storage *storage, enum node_kind kind,
                         struct place place)
{
    struct node *node = storage_alloc(storage, sizeof *node);

    if (!node)
        return NULL;
    node->kind = kind;
    node->value_place = place;
    node->key_place = place;
    node->text = "";
    return node;
}

void node_append(struct node *parent, struct node *child)
{
    child->parent = parent;
    child->index = (unsigned)parent->count++;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

struct node *node_find(const struct node *map, const char *key, size_t size)
{
    for (struct node *child = map->first; child; child = child->next) {
        if (child->key && strlen(child->key) == size &&
            memcmp(child->key, key, size) == 0)
            return child;
    }
    return NULL;
}

bool node_is_empty(const struct node *node)
{
    if (node->kind != NODE_SCALAR || node->is_quoted)
        return false;
    return node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
           strcmp(node->text, "null") == 0;
}

const char *node_kind_name(const struct node *node)
{
    static const char *const names[] = {
        [NODE_SCALAR] = "text",
        [NODE_LIST] = "a list",
        [NODE_MAP] = "a mapping",
        [NODE_BAD] = "something else",
    };

    return node_is_empty(node) ? "nothing" : names[node->kind];
}

/* Depth is bounded by the loader. */
static size_t path_write(const struct node *node, char *out, size_t size)
{
    size_t used = node->parent ? path_write(node->parent, out, size) : 0;
    int n = 0;

    if (used >= size)
        return used;
    if (node->key)
        n = snprintf(out + used, size - used, "%s%s", used > 0 ? "." : "",
                     node->key);
    else if (node->parent)
        n = snprintf(out + used, size - used, "[%u]", node->index);
    return n > 0 ? used + (size_t)n : used;
}

void node_path(const struct node *node, char *out, size_t size)
{
    out[0] = '\0';
    (void)path_write(node, out, size);
}
