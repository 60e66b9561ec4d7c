/*
 * connector_pick.c - which connector a mapping names.
 *
 * A connector's name is a key among others (`producer: { kafka: {...},
 * concurrency: 2 }`), or stands alone when its defaults will do.
 *
 * Threads: none; the loader's.
 */
#include "connector_pick.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "suggest.h"
#include "wordlist.h"

static bool find_name(const struct connector_names *names, const char *name,
                      size_t *ret_index)
{
    for (size_t i = 0; names->name_at(names->list, i); i++) {
        if (strcmp(names->name_at(names->list, i), name) == 0) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

static bool is_option(const struct connector_names *names, const char *key)
{
    const struct weir_option *option = names->options;

    for (; option && option->name; option++) {
        if (strcmp(option->name, key) == 0)
            return true;
    }
    return false;
}

/* Names of connectors, as many as fit. */
struct known {
    char text[256];
};

static struct known list_names(const struct connector_names *names)
{
    struct known known = {""};

    for (size_t i = 0; names->name_at(names->list, i); i++)
        wordlist_append(known.text, sizeof known.text,
                        WEIR_STR(names->name_at(names->list, i)));
    return known;
}

static void report_unknown(struct report *report, const struct node *node,
                           const struct connector_names *names,
                           const char *name)
{
    struct suggestion suggestion = {.word = name};
    const struct weir_option *option = names->options;
    char hint[64];

    for (size_t i = 0; names->name_at(names->list, i); i++)
        suggestion_offer(&suggestion, names->name_at(names->list, i));
    for (; option && option->name; option++)
        suggestion_offer(&suggestion, option->name);
    if (suggestion.best)
        report_key(report, node, "is neither a %s nor a key of it%s",
                   names->noun,
                   suggestion_text(&suggestion, hint, sizeof hint));
    else {
        report_key(report, node, "is no %s that this program has; it has %s",
                   names->noun, list_names(names).text);
    }
}

static const struct node *pick_key(struct report *report,
                                   const struct node *map,
                                   const struct connector_names *names,
                                   size_t *ret_index)
{
    const struct node *picked = NULL;
    bool is_reported = false;
    size_t index = 0;

    for (struct node *child = map->first; child; child = child->next) {
        if (is_option(names, child->key))
            continue;
        child->is_taken = true;
        if (!find_name(names, child->key, &index)) {
            report_unknown(report, child, names, child->key);
            is_reported = true;
        } else if (picked) {
            report_key(report, child,
                       "there can be one %s, and `%s` is one already (line "
                       "%u)",
                       names->noun, picked->key, picked->key_place.line);
        } else {
            picked = child;
            *ret_index = index;
        }
    }
    if (!picked && !is_reported)
        report_value(report, map, "names no %s; this program has %s",
                     names->noun, list_names(names).text);
    return picked;
}

const struct node *connector_pick(struct report *report, struct node *node,
                                  const struct connector_names *names,
                                  size_t *ret_index)
{

    if (node->kind == NODE_MAP)
        return pick_key(report, node, names, ret_index);
    if (node->kind == NODE_BAD)
        return NULL;
    if (node->kind == NODE_LIST) {
        report_value(report, node, "there can be one %s, not a list of them",
                     names->noun);
        return NULL;
    }
    if (find_name(names, node->text, ret_index))
        return node;
    if (node_is_empty(node))
        report_value(report, node, "names no %s; this program has %s",
                     names->noun, list_names(names).text);
    else
        report_unknown(report, node, names, node->text);
    return NULL;
}
