/*
 * describe_option.c - one option, in words.
 */
#include "describe_option.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reader.h"
#include "value.h"
#include "wordlist.h"

static const char *type_name(const struct weir_option *option)
{
    static const char *const names[WEIR_OPTION_TYPE_COUNT] = {
        [WEIR_OPTION_STRING] = "text",
        [WEIR_OPTION_PATH] = "path",
        [WEIR_OPTION_BOOL] = "true | false",
        [WEIR_OPTION_INT] = "whole number",
        [WEIR_OPTION_DURATION] = "duration",
        [WEIR_OPTION_SIZE] = "size",
        [WEIR_OPTION_CHOICE] = "",
        [WEIR_OPTION_LIST] = "list",
        [WEIR_OPTION_MAP] = "mapping of any keys",
        [WEIR_OPTION_GROUP] = "mapping",
        [WEIR_OPTION_GROUPS] = "list of mappings",
    };

    if (option->flags & READER_ELSEWHERE)
        return option->choices;
    if (option->flags & WEIR_OPTION_TEMPLATE)
        return "template";
    return names[option->type];
}

const char *describe_type(const struct weir_option *option, char *out,
                          size_t size)
{
    const char *cursor = option->choices;
    struct weir_bytes word;

    (void)snprintf(out, size, "%s", type_name(option));
    if (option->flags & READER_ELSEWHERE)
        return out;
    while (wordlist_next(&cursor, &word)) {
        const size_t used = strlen(out);
        const char *joint =
            option->type == WEIR_OPTION_CHOICE ? " | " : ", or ";

        (void)snprintf(out + used, size - used, "%s%.*s", used > 0 ? joint : "",
                       (int)word.size, (const char *)word.data);
    }
    return out;
}

static void number_format(enum weir_option_type type, int64_t number, char *out,
                          size_t size)
{
    if (type == WEIR_OPTION_DURATION)
        value_duration_format(number, out, size);
    else if (type == WEIR_OPTION_SIZE)
        value_size_format(number, out, size);
    else
        (void)snprintf(out, size, "%" PRId64, number);
}

const char *describe_bounds(const struct weir_option *option, char *out,
                            size_t size)
{
    char low[32], high[32];

    out[0] = '\0';
    if (option->min == 0 && option->max == 0)
        return out;
    number_format(option->type, option->min, low, sizeof low);
    number_format(option->type, option->max, high, sizeof high);
    if (option->max == INT64_MAX)
        (void)snprintf(out, size, "%s or more", low);
    else
        (void)snprintf(out, size, "%s to %s", low, high);
    return out;
}

const char *describe_default(const struct weir_option *option)
{
    if (!option->fallback)
        return NULL;
    return option->fallback[0] != '\0' ? option->fallback : "\"\"";
}

const char *describe_facts(const struct weir_option *option, char *out,
                           size_t size)
{
    const bool is_required = option->flags & WEIR_OPTION_REQUIRED;
    const bool is_secret = option->flags & WEIR_OPTION_SECRET;
    const char *fallback = describe_default(option);
    char bounds[DESCRIBE_TEXT_MAX / 2];

    (void)describe_bounds(option, bounds, sizeof bounds);
    (void)snprintf(out, size, "%s%s%s%s%s%s", fallback ? ", default " : "",
                   fallback ? fallback : "", bounds[0] != '\0' ? ", " : "",
                   bounds, is_required ? ", required" : "",
                   is_secret ? ", secret" : "");
    return out;
}

/* Groups nest no deeper than tables are written. */
static void each_below(const struct weir_option *options, const char *prefix,
                       describe_visit_fn visit, void *opaque)
{
    for (; options->name; options++) {
        const char *joint = options->type == WEIR_OPTION_GROUPS ? "[]." : ".";
        char path[DESCRIBE_TEXT_MAX];

        (void)snprintf(path, sizeof path, "%s%s", prefix, options->name);
        visit(opaque, path, options);
        if (!options->children)
            continue;
        (void)strncat(path, joint, sizeof path - strlen(path) - 1);
        each_below(options->children, path, visit, opaque);
    }
}

void describe_each(const struct weir_option *options, describe_visit_fn visit,
                   void *opaque)
{
    each_below(options, "", visit, opaque);
}
