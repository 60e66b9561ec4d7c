/*
 * test_settings.c - settings without a topology file.
 *
 * Threads: one at a time; reading is safe from several.
 */
#include "test_settings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invariant.h"

enum { VALUE_COUNT = 64, TEXT_SIZE = 200, REFUSALS_SIZE = 4096 };

struct value {
    char path[TEXT_SIZE], text[TEXT_SIZE];
};

/* What changes also where the settings are only read. */
struct said {
    char refusals[REFUSALS_SIZE], warnings[REFUSALS_SIZE];
    char taken[REFUSALS_SIZE];
    char item[TEXT_SIZE]; /* the element asked for last */
};

struct weir_settings {
    const struct weir_option *options;
    struct weir_share share;
    struct value values[VALUE_COUNT];
    size_t count;
    struct said *said;
};

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit durations[] = {
    {"us", 1}, {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {NULL, 0}};
static const struct unit sizes[] = {
    {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"", 1}, {NULL, 0}};
static const struct unit plain[] = {{"", 1}, {NULL, 0}};

static bool parse_number(const char *text, const struct unit *units,
                         int64_t *ret_number)
{
    char *end;
    const int64_t number = strtoll(text, &end, 10);

    for (; end != text && units->name; units++)
        if (strcmp(units->name, end) == 0) {
            *ret_number = number * units->factor;
            return true;
        }
    return false;
}

static bool is_choice(const char *choices, const char *text)
{
    const size_t size = strlen(text);

    while (choices) {
        if (strncmp(choices, text, size) == 0 &&
            (choices[size] == '|' || choices[size] == '\0'))
            return true;
        choices = strchr(choices, '|');
        choices = choices ? choices + 1 : NULL;
    }
    return false;
}

static bool is_within(const struct weir_option *option, int64_t number)
{
    if (option->min == 0 && option->max == 0)
        return true;
    return number >= option->min && number <= option->max;
}

bool test_option_parse(const struct weir_option *option, const char *text,
                       int64_t *ret_number)
{
    int64_t number = 0;

    switch (option->type) {
    case WEIR_OPTION_INT:
        if (!parse_number(text, plain, &number))
            return false;
        break;
    case WEIR_OPTION_DURATION:
        if (!parse_number(text, durations, &number))
            return false;
        break;
    case WEIR_OPTION_SIZE:
        if (!parse_number(text, sizes, &number))
            return false;
        break;
    case WEIR_OPTION_BOOL:
        number = strcmp(text, "true") == 0;
        *ret_number = number;
        return number || strcmp(text, "false") == 0;
    case WEIR_OPTION_CHOICE:
        return is_choice(option->choices, text);
    default:
        return true;
    }
    *ret_number = number;
    return is_within(option, number);
}

struct weir_settings *test_settings_create(const struct weir_option *options)
{
    struct weir_settings *const settings = calloc(1, sizeof *settings);

    INVARIANT(settings != NULL);
    settings->said = calloc(1, sizeof *settings->said);
    INVARIANT(settings->said != NULL);
    settings->options = options;
    settings->share = (struct weir_share){.pipeline = "test",
                                          .count = 1,
                                          .memory = 1U << 24,
                                          .max_message_bytes = 1U << 20,
                                          .in_flight = 4096,
                                          .largest_batch = 100};
    return settings;
}

void test_settings_destroy(struct weir_settings *settings)
{
    if (!settings)
        return;
    free(settings->said);
    free(settings);
}

struct weir_share *test_settings_share(struct weir_settings *settings)
{
    return &settings->share;
}

static const char *take(struct said *said, char *list)
{
    memcpy(said->taken, list, sizeof said->taken);
    list[0] = '\0';
    return said->taken;
}

const char *test_settings_take_refusals(struct weir_settings *settings)
{
    return take(settings->said, settings->said->refusals);
}

const char *test_settings_take_warnings(struct weir_settings *settings)
{
    return take(settings->said, settings->said->warnings);
}

static const struct value *find_value(const struct weir_settings *settings,
                                      const char *path)
{
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->values[i].path, path) == 0)
            return &settings->values[i];
    return NULL;
}

/* The option that `path` names; also of an entry of a map. */
static const struct weir_option *find_option(const struct weir_option *options,
                                             const char *path)
{
    const size_t size = strcspn(path, ".");

    for (; options && options->name; options++) {
        if (strncmp(options->name, path, size) != 0 ||
            options->name[size] != '\0')
            continue;
        if (path[size] == '\0' || options->type == WEIR_OPTION_MAP)
            return options;
        return find_option(options->children, path + size + 1);
    }
    return NULL;
}

void test_settings_set(struct weir_settings *settings, const char *path,
                       const char *text)
{
    const struct value *const known = find_value(settings, path);
    struct value *value;

    INVARIANT(find_option(settings->options, path) != NULL);
    INVARIANT(known || settings->count < VALUE_COUNT);
    value = &settings->values[known ? (size_t)(known - settings->values)
                                    : settings->count++];
    (void)snprintf(value->path, sizeof value->path, "%s", path);
    (void)snprintf(value->text, sizeof value->text, "%s", text);
}

/* What was set, or the default, or NULL. */
static const char *find_text(const struct weir_settings *settings,
                             const char *path)
{
    const struct value *const value = find_value(settings, path);
    const struct weir_option *const option =
        find_option(settings->options, path);

    if (value)
        return value->text;
    return option ? option->fallback : NULL;
}

bool weir_settings_has(const struct weir_settings *settings, const char *path)
{
    return find_text(settings, path) != NULL ||
           weir_settings_count(settings, path) > 0;
}

const char *weir_settings_string(const struct weir_settings *settings,
                                 const char *path)
{
    return find_text(settings, path);
}

int64_t weir_settings_int(const struct weir_settings *settings,
                          const char *path, int64_t fallback)
{
    const char *const text = find_text(settings, path);
    int64_t number = fallback;

    if (text)
        INVARIANT(test_option_parse(find_option(settings->options, path), text,
                                    &number));
    return number;
}

bool weir_settings_bool(const struct weir_settings *settings, const char *path,
                        bool fallback)
{
    return weir_settings_int(settings, path, fallback) != 0;
}

/* Entry `index` of the map at `path`. */
static const struct value *find_entry(const struct weir_settings *settings,
                                      const char *path, size_t index)
{
    const size_t size = strlen(path);

    for (size_t i = 0; i < settings->count; i++) {
        const struct value *const value = &settings->values[i];

        if (strncmp(value->path, path, size) == 0 && value->path[size] == '.' &&
            index-- == 0)
            return value;
    }
    return NULL;
}

size_t weir_settings_count(const struct weir_settings *settings,
                           const char *path)
{
    const char *text = find_text(settings, path);
    size_t count = 0;

    while (text) {
        count++;
        text = strchr(text, ',');
        text = text ? text + 1 : NULL;
    }
    while (find_entry(settings, path, count))
        count++;
    return count;
}

const char *weir_settings_item(const struct weir_settings *settings,
                               const char *path, size_t index)
{
    const struct value *const entry = find_entry(settings, path, index);
    const char *text = find_text(settings, path);

    if (entry)
        return entry->text;
    for (; text && index > 0; index--) {
        text = strchr(text, ',');
        text = text ? text + 1 : NULL;
    }
    if (!text)
        return NULL;
    (void)snprintf(settings->said->item, sizeof settings->said->item, "%.*s",
                   (int)strcspn(text, ","), text);
    return settings->said->item;
}

const char *weir_settings_key(const struct weir_settings *settings,
                              const char *path, size_t index)
{
    const struct value *const entry = find_entry(settings, path, index);

    return entry ? entry->path + strlen(path) + 1 : NULL;
}

const struct weir_settings *weir_settings_group(
    const struct weir_settings *settings, const char *path, size_t index)
{
    (void)settings;
    (void)path;
    (void)index;
    return NULL;
}

const struct weir_share *weir_settings_share(
    const struct weir_settings *settings)
{
    return &settings->share;
}

WEIR_PRINTF(3, 0)
static void note(char *list, const char *path, const char *fmt, va_list args)
{
    const size_t used = strlen(list);
    char text[REFUSALS_SIZE / 2];

    (void)vsnprintf(text, sizeof text, fmt, args);
    (void)snprintf(list + used, REFUSALS_SIZE - used, "%s: %s\n", path, text);
}

void weir_settings_refuse(const struct weir_settings *settings,
                          const char *path, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    note(settings->said->refusals, path, fmt, args);
    va_end(args);
}

void weir_settings_warn(const struct weir_settings *settings, const char *path,
                        const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    note(settings->said->warnings, path, fmt, args);
    va_end(args);
}
