/*
 * reader.c - nodes and a table of options to settings.
 *
 * One walk over the table and one over the mapping: the first gives every
 * option its value or its default and finds what is missing, the second finds
 * what isn't in the table.
 *
 *     table            mapping
 *     brokers  ----->  brokers: a:9092     scalar.c: text to value
 *     group    --x     (missing)           "is required"
 *              x-----  gruop: orders       "unknown key (did you mean ...?)"
 *
 * What is wrong never stops the walk: it is reported, and the default stands
 * in for it, so that all errors of a file come at once.
 *
 * Threads: none; the loader's.
 */
#include "reader.h"

#include <stdio.h>
#include <string.h>

#include "scalar.h"
#include "suggest.h"
#include "wordlist.h"

static void read_group(const struct reader *reader,
                       struct weir_settings *settings, const struct node *map,
                       const struct weir_option *options);

static const struct weir_option *option_find(const struct weir_option *options,
                                             const char *name)
{
    for (; options->name; options++) {
        if (strcmp(options->name, name) == 0)
            return options;
    }
    return NULL;
}

static void report_unknown(const struct reader *reader, const struct node *node,
                           const struct weir_option *options)
{
    struct suggestion suggestion = {.word = node->key};
    char text[256] = "", hint[64];

    for (const struct weir_option *option = options; option->name; option++) {
        suggestion_offer(&suggestion, option->name);
        wordlist_append(text, sizeof text, WEIR_STR(option->name));
    }
    if (suggestion.best) {
        report_key(reader->report, node, "unknown key%s",
                   suggestion_text(&suggestion, hint, sizeof hint));
        return;
    }
    if (text[0] != '\0')
        report_key(reader->report, node, "unknown key; known here: %s", text);
    else
        report_key(reader->report, node,
                   "unknown key; there are no options "
                   "here");
}

static void report_missing(const struct reader *reader,
                           const struct weir_settings *settings,
                           const struct weir_option *option)
{
    char path[REPORT_PATH_MAX];
    const struct node *node = settings_place(settings, path, sizeof path);

    report_at(reader->report,
              &(struct report_where){.place = node->key_place, .path = path},
              "is required: %s", option->help);
}

/* Of a key that no table knows: a client's property, a handler's option. */
static void note_secret(const struct reader *reader, const char *name,
                        const struct node *node)
{
    static const char *const words[] = {"password", "secret", "token"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (node->text && strstr(name, words[i]))
            report_hide(reader->report, reader->storage, weir_str(node->text));
    }
}

static void report_kind(const struct reader *reader, const struct node *node,
                        const char *wanted)
{
    if (node_is_empty(node))
        report_value(reader->report, node, "has no value: it must be %s",
                     wanted);
    else
        report_value(reader->report, node, "must be %s, not %s", wanted,
                     node_kind_name(node));
}

/* The default, as if it were written. */
static void read_fallback(const struct reader *reader,
                          struct weir_settings *setting)
{
    const struct weir_option *option = setting->option;

    if (!option->fallback)
        return;
    setting->is_present = true;
    if (option->type == WEIR_OPTION_LIST)
        scalar_split(reader, setting, option->fallback);
    else
        scalar_default(reader, setting);
}

static void read_scalar(const struct reader *reader,
                        struct weir_settings *setting, const struct node *node)
{
    if (node->kind == NODE_SCALAR && !node_is_empty(node) &&
        scalar_read(reader, setting, node)) {
        setting->is_present = true;
        return;
    }
    if (node->kind != NODE_SCALAR || node_is_empty(node))
        report_kind(reader, node, scalar_wanted(setting->option));
    read_fallback(reader, setting);
}

static bool read_element(const struct reader *reader,
                         struct weir_settings *list, const struct node *node)
{
    struct weir_settings *element;

    if (node->kind == NODE_BAD)
        return true;
    if (node->kind != NODE_SCALAR || node_is_empty(node)) {
        report_kind(reader, node, "text");
        return true;
    }
    element = settings_create(reader->storage, list, NULL, list->root);
    if (!element)
        return false;
    element->is_present = true;
    element->node = node;
    element->text = node->text;
    return true;
}

static void read_list(const struct reader *reader,
                      struct weir_settings *setting, const struct node *node)
{
    setting->is_present = true;
    if (node->kind == NODE_SCALAR && !node_is_empty(node)) {
        if (!scalar_split(reader, setting, node->text))
            report_value(reader->report, node,
                         "has an empty element between its commas");
    } else if (node->kind == NODE_LIST) {
        for (const struct node *child = node->first; child;
             child = child->next) {
            if (!read_element(reader, setting, child))
                return;
        }
    } else {
        report_kind(reader, node, "a list, or text with commas");
        return;
    }
    if (setting->count == 0 && node->count == 0 &&
        (setting->option->flags & WEIR_OPTION_REQUIRED))
        report_value(reader->report, node, "the list is empty: %s",
                     setting->option->help);
}

/* `prefix` is "client." where a --set made "client.rack" a nested mapping. */
static void read_map_entries(const struct reader *reader,
                             struct weir_settings *setting,
                             const struct node *map, const char *prefix)
{
    for (const struct node *child = map->first; child; child = child->next) {
        char name[REPORT_PATH_MAX];
        struct weir_settings *entry;

        (void)snprintf(name, sizeof name, "%s%s", prefix, child->key);
        if (child->kind == NODE_MAP && child->value_place.line == 0) {
            (void)strncat(name, ".", sizeof name - strlen(name) - 1);
            read_map_entries(reader, setting, child, name);
            continue;
        }
        if (child->kind != NODE_SCALAR || node_is_empty(child)) {
            if (child->kind != NODE_BAD)
                report_kind(reader, child, "text");
            continue;
        }
        entry = settings_create(reader->storage, setting, NULL, setting->root);
        if (!entry)
            return;
        note_secret(reader, name, child);
        entry->name = storage_copy(reader->storage, name, strlen(name));
        entry->is_present = true;
        entry->node = child;
        entry->text = child->text;
    }
}

static void read_groups(const struct reader *reader,
                        struct weir_settings *setting, const struct node *node)
{
    setting->is_present = true;
    if (node->kind != NODE_LIST) {
        report_kind(reader, node, "a list of mappings");
        return;
    }
    for (const struct node *child = node->first; child; child = child->next) {
        struct weir_settings *group;

        if (child->kind == NODE_BAD)
            continue;
        if (child->kind != NODE_MAP) {
            report_kind(reader, child, "a mapping");
            continue;
        }
        group = settings_create(reader->storage, setting, NULL, setting->root);
        if (!group)
            return;
        group->kind = SETTINGS_MAP;
        group->is_present = true;
        group->node = child;
        read_group(reader, group, child, setting->option->children);
    }
}

static void read_mapping(const struct reader *reader,
                         struct weir_settings *setting, const struct node *node)
{
    const struct node *map = NULL;

    if (node && node->kind == NODE_MAP)
        map = node;
    else if (node && node->kind != NODE_BAD && !node_is_empty(node))
        report_kind(reader, node, "a mapping");
    setting->is_present =
        node || (setting->option->flags & WEIR_OPTION_REQUIRED);
    if (setting->option->type == WEIR_OPTION_GROUP)
        read_group(reader, setting, map, setting->option->children);
    else if (map)
        read_map_entries(reader, setting, map, "");
}

static enum settings_kind kind_of(const struct weir_option *option)
{
    switch (option->type) {
    case WEIR_OPTION_LIST:
    case WEIR_OPTION_GROUPS:
        return SETTINGS_LIST;
    case WEIR_OPTION_MAP:
    case WEIR_OPTION_GROUP:
        return SETTINGS_MAP;
    default:
        return SETTINGS_SCALAR;
    }
}

static void read_present(const struct reader *reader,
                         struct weir_settings *setting, const struct node *node)
{
    setting->node = node;
    switch (setting->option->type) {
    case WEIR_OPTION_LIST:
        read_list(reader, setting, node);
        break;
    case WEIR_OPTION_GROUPS:
        read_groups(reader, setting, node);
        break;
    case WEIR_OPTION_MAP:
    case WEIR_OPTION_GROUP:
        read_mapping(reader, setting, node);
        break;
    default:
        read_scalar(reader, setting, node);
        break;
    }
}

static void read_option(const struct reader *reader,
                        struct weir_settings *settings, const struct node *map,
                        const struct weir_option *option)
{
    const struct node *node =
        map ? node_find(map, option->name, strlen(option->name)) : NULL;
    struct weir_settings *setting = settings_create(
        reader->storage, settings, option->name, settings->root);

    if (!setting)
        return;
    setting->option = option;
    setting->kind = kind_of(option);
    if (node && (option->flags & WEIR_OPTION_SECRET))
        report_hide(reader->report, reader->storage,
                    weir_str(node->text ? node->text : ""));
    if (node && node->kind == NODE_BAD) {
        setting->node = node;
        node = NULL;
    } else if (node) {
        read_present(reader, setting, node);
        return;
    } else if (option->type != WEIR_OPTION_GROUP && settings->is_present &&
               (option->flags & WEIR_OPTION_REQUIRED)) {
        report_missing(reader, setting, option);
    }
    if (option->type == WEIR_OPTION_GROUP)
        read_mapping(reader, setting, setting->node);
    else
        read_fallback(reader, setting);
}

static void read_group(const struct reader *reader,
                       struct weir_settings *settings, const struct node *map,
                       const struct weir_option *options)
{
    for (const struct weir_option *option = options; option->name; option++) {
        if (!(option->flags & READER_ELSEWHERE))
            read_option(reader, settings, map, option);
    }
    for (const struct node *child = map ? map->first : NULL; child;
         child = child->next) {
        if (!child->is_taken && !option_find(options, child->key))
            report_unknown(reader, child, options);
    }
}

static struct weir_settings *create_top(const struct reader *reader)
{
    struct settings_root *root = storage_alloc(reader->storage, sizeof *root);
    struct weir_settings *settings;

    if (!root)
        return NULL;
    root->report = reader->report; /* its copies have none */
    settings = settings_create(reader->storage, NULL, NULL, root);
    if (!settings)
        return NULL;
    settings->kind = SETTINGS_MAP;
    settings->is_present = true;
    return settings;
}

struct weir_settings *reader_read(const struct reader *reader,
                                  const struct node *node,
                                  const struct node *at,
                                  const struct weir_option *options)
{
    static const struct weir_option no_options[] = {{0}};
    struct weir_settings *settings = create_top(reader);
    const struct node *map = NULL;

    if (!settings)
        return NULL;
    settings->node = at;
    settings->is_present = !node || node->kind != NODE_BAD;
    if (node && node->kind == NODE_MAP)
        map = node;
    else if (node && node->kind == NODE_LIST)
        report_kind(reader, node, "a mapping");
    read_group(reader, settings, map, options ? options : no_options);
    settings->is_present = true;
    return settings;
}

static void read_anything(const struct reader *reader,
                          struct weir_settings *settings,
                          const struct node *node)
{
    settings->node = node;
    settings->is_present = node->kind != NODE_BAD;
    settings->text = node->text;
    if (node->kind == NODE_LIST)
        settings->kind = SETTINGS_LIST;
    else if (node->kind == NODE_MAP)
        settings->kind = SETTINGS_MAP;
    for (const struct node *child = node->first; child; child = child->next) {
        struct weir_settings *entry = settings_create(
            reader->storage, settings, child->key, settings->root);

        if (!entry)
            return;
        if (child->key)
            note_secret(reader, child->key, child);
        read_anything(reader, entry, child);
    }
}

struct weir_settings *reader_read_any(const struct reader *reader,
                                      const struct node *node)
{
    struct weir_settings *settings = create_top(reader);

    if (!settings || !node)
        return settings;
    if (node->kind == NODE_MAP)
        read_anything(reader, settings, node);
    else if (node->kind != NODE_BAD && !node_is_empty(node))
        report_kind(reader, node, "a mapping");
    settings->kind = SETTINGS_MAP;
    return settings;
}
