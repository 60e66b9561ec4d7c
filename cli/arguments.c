/*
 * arguments.c - a verb's options and operands, read by a table.
 *
 * The same table parses and explains, so --help can't lie.  `--name value` and
 * `--name=value` mean the same, `--` ends the options, operands and options
 * mix.
 *
 * Threads: none.
 */
#include "arguments.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "suggest.h"
#include "value.h"

enum { HELP_COLUMN = 28 };

int usage_error(const struct verb *verb, const char *fmt, ...)
{
    va_list args;

    (void)fprintf(stderr, "weir %s: ", verb->name);
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fprintf(stderr, "\nTry `weir %s --help`.\n", verb->name);
    return VERB_EXIT_USAGE;
}

static const struct argument *find(const struct verb *verb, const char *name,
                                   size_t size)
{
    const struct argument *option = verb->options;

    for (; option && option->name; option++)
        if (strlen(option->name) == size &&
            memcmp(option->name, name, size) == 0)
            return option;
    return NULL;
}

static enum weir_status unknown(const struct verb *verb, const char *text)
{
    struct suggestion suggestion = {.word = text};
    const struct argument *option = verb->options;
    char hint[80];

    for (; option && option->name; option++)
        suggestion_offer(&suggestion, option->name);
    (void)usage_error(verb, "there is no option %s%s", text,
                      suggestion_text(&suggestion, hint, sizeof hint));
    return WEIR_REJECT;
}

static const char *texts_add(struct argument_texts *texts, const char *text)
{
    if (texts->count == ARGUMENT_TEXTS_MAX)
        return "is given too often";
    texts->list[texts->count++] = text;
    texts->list[texts->count] = NULL;
    return NULL;
}

/* NULL, or what is wrong with the text. */
static const char *assign(const struct argument *option, const char *text,
                          void *values)
{
    void *place = (char *)values + option->offset;

    switch (option->type) {
    case ARGUMENT_FLAG:
        *(bool *)place = true;
        return NULL;
    case ARGUMENT_TEXT:
        *(const char **)place = text;
        return NULL;
    case ARGUMENT_TEXTS:
        return texts_add(place, text);
    case ARGUMENT_DURATION:
        return value_duration(text, place);
    case ARGUMENT_INT:
        return value_int(text, place);
    case ARGUMENT_TYPE_COUNT:
        break;
    }
    return "has no type";
}

/* One option at argv[*index], and its value behind it. */
static enum weir_status parse_option(const struct verb *verb,
                                     const struct call *call, int *index,
                                     void *values)
{
    const char *text = call->argv[*index];
    const char *equals = strchr(text, '=');
    const struct argument *option =
        find(verb, text, equals ? (size_t)(equals - text) : strlen(text));
    const char *value = equals ? equals + 1 : NULL;
    const char *wrong;

    if (!option)
        return unknown(verb, text);
    if (option->type == ARGUMENT_FLAG && value) {
        (void)usage_error(verb, "%s takes no value", option->name);
        return WEIR_REJECT;
    }
    if (option->type != ARGUMENT_FLAG && !value) {
        if (*index + 1 >= call->argc) {
            (void)usage_error(verb, "%s needs a value: %s %s", option->name,
                              option->name, option->value);
            return WEIR_REJECT;
        }
        value = call->argv[++*index];
    }
    wrong = assign(option, value, values);
    if (wrong) {
        (void)usage_error(verb, "%s %s %s", option->name, value, wrong);
        return WEIR_REJECT;
    }
    return WEIR_OK;
}

static enum weir_status check_operands(const struct verb *verb,
                                       const struct argument_texts *operands)
{
    if (operands->count < verb->operand_min) {
        (void)usage_error(verb, "%s is missing", verb->operands);
        return WEIR_REJECT;
    }
    if (operands->count > verb->operand_max) {
        (void)usage_error(verb, "what is %s?",
                          operands->list[verb->operand_max]);
        return WEIR_REJECT;
    }
    return WEIR_OK;
}

enum weir_status arguments_parse(const struct verb *verb,
                                 const struct call *call, void *values,
                                 struct argument_texts *ret_operands)
{
    struct argument_texts operands = {.count = 0};
    bool has_options = true;

    for (int i = 1; i < call->argc; i++) {
        const char *text = call->argv[i];

        if (has_options && strcmp(text, "--") == 0) {
            has_options = false;
        } else if (has_options && text[0] == '-' && text[1] != '\0') {
            if (parse_option(verb, call, &i, values) != WEIR_OK)
                return WEIR_REJECT;
        } else if (texts_add(&operands, text) != NULL) {
            (void)usage_error(verb, "too many operands");
            return WEIR_REJECT;
        }
    }
    if (check_operands(verb, &operands) != WEIR_OK)
        return WEIR_REJECT;
    *ret_operands = operands;
    return WEIR_OK;
}

void verb_help(const struct verb *verb, FILE *out)
{
    const struct argument *option = verb->options;

    (void)fprintf(out, "weir %s - %s\n\nusage: weir %s%s%s%s\n", verb->name,
                  verb->summary, verb->name, option ? " [options]" : "",
                  *verb->operands ? " " : "", verb->operands);
    if (verb->text)
        (void)fprintf(out, "\n%s", verb->text);
    if (option)
        (void)fprintf(out, "\noptions:\n");
    for (; option && option->name; option++) {
        char left[64];

        (void)snprintf(left, sizeof left, "%s%s%s", option->name,
                       option->value ? " " : "",
                       option->value ? option->value : "");
        (void)fprintf(out, "  %-*s %s\n", HELP_COLUMN, left, option->help);
    }
    (void)fprintf(out, "\nexample%s:\n%s",
                  strchr(verb->example, '\n')[1] ? "s" : "", verb->example);
}
