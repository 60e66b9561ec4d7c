/*
 * scalar.c - one text and one option to one value.
 *
 * Errors quote the text, unless the option is a secret or the text came out of
 * a ${file:}: then they say what is wrong without it.
 *
 * Threads: none; the loader's.
 */
#include "scalar.h"

#include <stdio.h>
#include <string.h>

#include "invariant.h"
#include "template.h"

#include "describe_option.h"
#include "file.h"
#include "suggest.h"
#include "value.h"
#include "wordlist.h"

enum { WHY_MAX = 300, QUOTE_MAX = 64, CHOICE_MAX = 16, CHOICE_SIZE = 32 };

static bool check_bounds(const struct weir_option *option, int64_t number,
                         char *why)
{
    char bounds[WHY_MAX / 2];

    if ((option->min == 0 && option->max == 0) ||
        (number >= option->min && number <= option->max))
        return true;
    (void)snprintf(why, WHY_MAX, "is out of bounds: it must be %s",
                   describe_bounds(option, bounds, sizeof bounds));
    return false;
}

static bool read_number(struct weir_settings *setting, const char *text,
                        char *why)
{
    const struct weir_option *option = setting->option;
    const char *problem;
    int64_t number = 0;

    if (wordlist_has(option->choices, text))
        return true;
    if (option->type == WEIR_OPTION_DURATION)
        problem = value_duration(text, &number);
    else if (option->type == WEIR_OPTION_SIZE)
        problem = value_size(text, &number);
    else
        problem = value_int(text, &number);
    if (problem) {
        (void)snprintf(why, WHY_MAX, "%s", problem);
        return false;
    }
    if (!check_bounds(option, number, why))
        return false;
    setting->number = number;
    setting->has_number = true;
    return true;
}

static bool read_choice(const struct weir_settings *setting, const char *text,
                        char *why)
{
    const char *cursor = setting->option->choices;
    struct suggestion suggestion = {.word = text};
    char words[CHOICE_MAX][CHOICE_SIZE], hint[CHOICE_SIZE * 2];
    char known[WHY_MAX / 2] = "";
    struct weir_bytes word;

    if (wordlist_has(cursor, text))
        return true;
    for (size_t i = 0; i < CHOICE_MAX && wordlist_next(&cursor, &word); i++) {
        wordlist_append(known, sizeof known, word);
        (void)snprintf(words[i], sizeof words[i], "%.*s", (int)word.size,
                       (const char *)word.data);
        suggestion_offer(&suggestion, words[i]);
    }
    (void)snprintf(why, WHY_MAX, "is not one of %s%s", known,
                   suggestion_text(&suggestion, hint, sizeof hint));
    return false;
}

static bool read_bool(struct weir_settings *setting, const char *text,
                      char *why)
{
    bool value = false;
    const char *problem = value_bool(text, &value);

    if (problem) {
        (void)snprintf(why, WHY_MAX, "%s", problem);
        return false;
    }
    setting->number = value;
    setting->has_number = true;
    return true;
}

static bool read_template(const struct reader *reader, const char *text,
                          char *why)
{
    struct template *template = NULL;
    struct weir_error err;
    const enum weir_status status = template_parse(text, &template, &err);

    template_destroy(template);
    if (status == WEIR_RETRY)
        reader->report->is_out_of_memory = true;
    if (status == WEIR_REJECT)
        (void)snprintf(why, WHY_MAX, "is not a template: %s", err.text);
    return status != WEIR_REJECT;
}

/* False: `why` ends a sentence that begins with the text. */
static bool parse(const struct reader *reader, struct weir_settings *setting,
                  const char *text, char *why)
{
    setting->text = text;
    switch (setting->option->type) {
    case WEIR_OPTION_BOOL:
        return read_bool(setting, text, why);
    case WEIR_OPTION_INT:
    case WEIR_OPTION_DURATION:
    case WEIR_OPTION_SIZE:
        return read_number(setting, text, why);
    case WEIR_OPTION_CHOICE:
        return read_choice(setting, text, why);
    case WEIR_OPTION_PATH:
        (void)snprintf(why, WHY_MAX, "is not a path");
        if (text[0] != '\0')
            setting->text = file_join(reader->storage, reader->folder, text);
        return text[0] != '\0';
    case WEIR_OPTION_STRING:
        return !(setting->option->flags & WEIR_OPTION_TEMPLATE) ||
               read_template(reader, text, why);
    default:
        return true;
    }
}

bool scalar_read(const struct reader *reader, struct weir_settings *setting,
                 const struct node *node)
{
    char why[WHY_MAX] = "";

    if (parse(reader, setting, node->text, why))
        return true;
    setting->text = NULL;
    if (node->is_hidden || (setting->option->flags & WEIR_OPTION_SECRET))
        report_value(reader->report, node, "the value %s", why);
    else
        report_value(reader->report, node, "`%.*s` %s", QUOTE_MAX, node->text,
                     why);
    return false;
}

void scalar_default(const struct reader *reader, struct weir_settings *setting)
{
    char why[WHY_MAX];
    const bool is_valid =
        parse(reader, setting, setting->option->fallback, why);

    INVARIANT(is_valid);
}

bool scalar_split(const struct reader *reader, struct weir_settings *list,
                  const char *text)
{
    bool is_complete = true;

    while (text) {
        const char *comma = strchr(text, ',');
        size_t size = comma ? (size_t)(comma - text) : strlen(text);
        struct weir_settings *element;

        for (; size > 0 && text[size - 1] == ' '; size--)
            ;
        for (; size > 0 && *text == ' '; size--)
            text++;
        is_complete = is_complete && size > 0;
        element = settings_create(reader->storage, list, NULL, list->root);
        if (!element)
            return is_complete;
        element->is_present = true;
        element->node = list->node;
        element->text = storage_copy(reader->storage, text, size);
        text = comma ? comma + 1 : NULL;
    }
    return is_complete;
}

const char *scalar_wanted(const struct weir_option *option)
{
    static const char *const wanted[WEIR_OPTION_TYPE_COUNT] = {
        [WEIR_OPTION_STRING] = "text",
        [WEIR_OPTION_PATH] = "a path",
        [WEIR_OPTION_BOOL] = "true or false",
        [WEIR_OPTION_INT] = "a whole number",
        [WEIR_OPTION_DURATION] = "a duration, as in 200ms or 5s",
        [WEIR_OPTION_SIZE] = "a size, as in 64KiB or 1MiB",
        [WEIR_OPTION_CHOICE] = "one of its words",
        [WEIR_OPTION_LIST] = "a list",
        [WEIR_OPTION_MAP] = "a mapping",
        [WEIR_OPTION_GROUP] = "a mapping",
        [WEIR_OPTION_GROUPS] = "a list of mappings",
    };

    return wanted[option->type];
}
