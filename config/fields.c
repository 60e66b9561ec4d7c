/*
 * fields.c - which %{name} a template over a message may use.
 *
 * What a message has is known by its producer, so the names are a closed list:
 * a wrong one would be an empty text in every message, and nobody would hear of
 * it.  Names behind a dot (header.x) are the sender's and can't be known.
 *
 * Threads: none; the loader's.
 */
#include "fields.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "template.h"

#include "settings_tree.h"
#include "suggest.h"
#include "wordlist.h"

enum { FIELD_SIZE = 32, FIELD_COUNT = 32, KNOWN_SIZE = 320 };

/* The fields that a template may name, as they are shown. */
struct fields {
    const char *producer;
    char names[FIELD_COUNT][FIELD_SIZE]; /* "topic", "header.NAME" */
    size_t count;
};

static bool has_argument(const char *field)
{
    return strstr(field, ".NAME") != NULL;
}

static bool has_field(const struct fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++) {
        const char *const field = fields->names[i];
        const size_t size = strlen(field) - strlen("NAME");

        if (has_argument(field)
                ? strncmp(name, field, size) == 0 && name[size] != '\0'
                : strcmp(name, field) == 0)
            return true;
    }
    return false;
}

static void add(struct fields *fields, const char *list)
{
    struct weir_bytes word;

    while (fields->count < FIELD_COUNT && wordlist_next(&list, &word)) {
        const char *const text = word.data;
        char *const name = fields->names[fields->count];

        (void)snprintf(name, FIELD_SIZE, "%.*s%s", (int)word.size, text,
                       text[word.size - 1] == '.' ? "NAME" : "");
        if (!has_field(fields, name))
            fields->count++;
    }
}

static void check_name(const struct weir_settings *settings,
                       const struct fields *fields, const char *name)
{
    struct suggestion suggestion = {.word = name};
    char known[KNOWN_SIZE] = "", hint[2 * FIELD_SIZE];

    if (has_field(fields, name))
        return;
    if (settings_is_hidden(settings)) {
        weir_settings_refuse(settings, "", "names what no message of %s has",
                             fields->producer);
        return;
    }
    for (size_t i = 0; i < fields->count; i++) {
        wordlist_append(known, sizeof known, weir_str(fields->names[i]));
        suggestion_offer(&suggestion, fields->names[i]);
    }
    weir_settings_refuse(settings, "",
                         "`%.40s` is nothing that a message of %s has%s; known "
                         "here: %s",
                         name, fields->producer,
                         suggestion_text(&suggestion, hint, sizeof hint),
                         known);
}

static void check_text(const struct weir_settings *settings,
                       const struct fields *fields)
{
    struct template *template = NULL;
    struct weir_error err = {0};

    switch (template_parse(settings->text, &template, &err)) {
    case WEIR_OK:
        break;
    case WEIR_REJECT:
        weir_settings_refuse(settings, "", "is not a template: %s", err.text);
        return;
    default:
        settings->root->report->is_out_of_memory = true;
        return;
    }
    for (size_t i = 0; fields && i < template_name_count(template); i++)
        check_name(settings, fields, template_name(template, i));
    template_destroy(template);
}

/* Values in a mapping or a list have no option; theirs is the whole's. */
static bool is_template(const struct weir_settings *settings)
{
    const struct weir_option *option = settings->option;

    if (!option && settings->parent)
        option = settings->parent->option;
    return settings->kind == SETTINGS_SCALAR && settings->text && option &&
           option->flags & WEIR_OPTION_TEMPLATE;
}

static void check_tree(const struct weir_settings *top,
                       const struct fields *fields)
{
    const struct weir_settings *at = top;

    while (at) {
        if (is_template(at))
            check_text(at, fields);
        if (at->first) {
            at = at->first;
            continue;
        }
        while (at != top && !at->next)
            at = at->parent;
        at = at == top ? NULL : at->next;
    }
}

void fields_check(const struct weir_settings *settings,
                  const struct weir_producer_ops *ops, enum fields_whose whose)
{
    struct fields fields = {.count = 0};

    if (ops) {
        fields.producer = ops->name;
        add(&fields, ops->fields);
        if (whose == FIELDS_OF_SINK)
            add(&fields, "header.|batch_key");
    }
    check_tree(settings, ops ? &fields : NULL);
}
