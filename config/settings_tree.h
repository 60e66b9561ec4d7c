/*
 * settings_tree.h - what is behind struct weir_settings.
 */
#ifndef WEIR_CONFIG_SETTINGS_TREE_H
#define WEIR_CONFIG_SETTINGS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/settings.h>
#include <weir/share.h>

#include "node.h"
#include "report.h"
#include "storage.h"

enum settings_kind {
    SETTINGS_SCALAR = 0,
    SETTINGS_LIST, /* of scalars or of mappings */
    SETTINGS_MAP
};

/* One per tree: of a connector instance, of a handler. */
struct settings_root {
    struct weir_share share;
    struct report *report; /* only while the file is checked */
};

/* A value, and, of a mapping or list, the values in it. */
struct weir_settings {
    enum settings_kind kind;
    bool is_present; /* written, or has a default */
    bool has_number; /* INT, DURATION, SIZE, BOOL */
    const char *name;
    const char *text; /* of a scalar */
    int64_t number;
    const struct weir_option *option; /* NULL: of a handler, or the root */
    const struct node *node;          /* NULL: not written */
    struct weir_settings *parent, *first, *last, *next;
    size_t count;
    struct settings_root *root;
};

/* NULL when out of memory; appended to `parent` (NULL: a new tree's top). */
struct weir_settings *settings_create(struct storage *storage,
                                      struct weir_settings *parent,
                                      const char *name,
                                      struct settings_root *root);

/* A copy of the whole tree that tells `share`; NULL when out of memory. */
struct weir_settings *settings_clone(struct storage *storage,
                                     const struct weir_settings *settings,
                                     const struct weir_share *share);

/* A secret, or came out of a ${file:}: nothing of it is shown. */
bool settings_is_hidden(const struct weir_settings *settings);

/*
 * What may be shown of a scalar to whoever asks for the configuration: its
 * text, or SETTINGS_STRUCK_OUT in place of a secret, or, of a URL, the text
 * without what stands before its `@`.  A key that no table knows (a property of
 * a client, an option of a handler) is a secret when it is called like one, or
 * when its value was filled in.  Into `out`, which is returned.
 */
#define SETTINGS_STRUCK_OUT "***"
const char *settings_shown(const struct weir_settings *settings, char *out,
                           size_t size);

/* Where errors about it stand: the nearest written node, and the whole path. */
const struct node *settings_place(const struct weir_settings *settings,
                                  char *path, size_t size);

#endif
