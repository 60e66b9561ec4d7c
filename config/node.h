/*
 * node.h - what a topology file says, before anything is known of its meaning.
 */
#ifndef WEIR_CONFIG_NODE_H
#define WEIR_CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "storage.h"

enum node_kind {
    NODE_SCALAR = 0,
    NODE_LIST,
    NODE_MAP,
    NODE_BAD, /* an error was reported: say nothing more of it */
};

/* Where something stands; line 0: not in the file, but in a --set. */
struct place {
    unsigned line, column; /* from 1 */
};

struct node {
    enum node_kind kind;
    bool is_quoted;    /* a scalar in quotes, or substituted */
    bool is_hidden;    /* its text came out of a ${file:}: never shown */
    bool is_filled_in; /* a part of its text stood outside of the file */
    bool is_taken;     /* read by someone else than the table of its mapping */
    struct place value_place, key_place;
    const char *key;  /* in a mapping */
    const char *text; /* of a scalar */
    unsigned index;   /* in its parent */
    struct node *parent, *first, *last, *next;
    size_t count; /* of children */
};

/* NULL when out of memory, as storage_alloc(). */
struct node *node_create(struct storage *storage, enum node_kind kind,
                         struct place place);
void node_append(struct node *parent, struct node *child);

/* A child by the first `size` characters of `key`; NULL: none. */
struct node *node_find(const struct node *map, const char *key, size_t size);

/* Nothing, `~` or `null`, unquoted. */
bool node_is_empty(const struct node *node);

/* "a mapping", "a list", "text" */
const char *node_kind_name(const struct node *node);

/* "batchers.default.sink", "bindings[0].exchange"; cut off at `size`. */
void node_path(const struct node *node, char *out, size_t size);

#endif
