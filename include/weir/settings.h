/*
 * weir/settings.h - what a topology file says to one connector or handler.
 *
 * A connector declares its options in one table.  Parsing, defaults,
 * validation, `weir describe`, the JSON Schema and the reference page come from
 * that table, so a connector reads values that exist and have their type.  A
 * handler has no table: its `options:` are any keys, all optional.
 *
 * Paths are dotted: "tls.ca".  Everything returned is borrowed and lives as
 * long as the settings.  Reading is safe from any thread.
 */
#ifndef WEIR_SETTINGS_H
#define WEIR_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_settings; /* opaque: config/settings.c */

enum weir_option_type {
    WEIR_OPTION_STRING = 0,
    WEIR_OPTION_PATH,     /* relative to the topology file; read as absolute */
    WEIR_OPTION_BOOL,     /* true, false */
    WEIR_OPTION_INT,      /* within min..max */
    WEIR_OPTION_DURATION, /* "200ms", "5s"; read in microseconds */
    WEIR_OPTION_SIZE,     /* "64KiB", "1MiB"; read in bytes */
    WEIR_OPTION_CHOICE,   /* one of `choices`: "earliest|latest" */
    WEIR_OPTION_LIST,     /* of strings; may be one comma-separated scalar */
    WEIR_OPTION_MAP,      /* any keys, string values: librdkafka properties */
    WEIR_OPTION_GROUP,    /* a mapping with `children` */
    WEIR_OPTION_GROUPS,   /* a list of mappings with `children` */
    /* must stay last */
    WEIR_OPTION_TYPE_COUNT
};

#define WEIR_OPTION_REQUIRED (1U << 0)
#define WEIR_OPTION_SECRET   (1U << 1) /* struck out wherever it is shown */
#define WEIR_OPTION_TEMPLATE (1U << 2) /* %{...} over a message, checked */

struct weir_option {
    const char *name;
    enum weir_option_type type;
    unsigned flags;
    const char *fallback; /* as a user would write it; NULL: absent */
    int64_t min, max;     /* INT, DURATION (us), SIZE; both 0: no bounds */
    const char *choices;  /* CHOICE; of a number, words that may stand for it
                             ("auto"): read as absent by weir_settings_int() */
    const struct weir_option *children; /* ends with {0} */
    const char *help;                   /* one sentence, for `describe` */
};

/* Written, or with a default.  A group that isn't written is absent, though
 * the defaults in it can be read ("tls.verify"). */
WEIR_EXPORT
bool weir_settings_has(const struct weir_settings *settings, const char *path);

/* NULL when absent.  Also STRING-like access to any scalar. */
WEIR_EXPORT
const char *weir_settings_string(const struct weir_settings *settings,
                                 const char *path);

/* INT, DURATION in microseconds, SIZE in bytes.  `fallback`: when absent, and,
 * in a handler's options, when it is not one (a duration, a size, an int). */
WEIR_EXPORT
int64_t weir_settings_int(const struct weir_settings *settings,
                          const char *path, int64_t fallback);

WEIR_EXPORT
bool weir_settings_bool(const struct weir_settings *settings, const char *path,
                        bool fallback);

/* Elements of a LIST or GROUPS, entries of a MAP or a mapping; 0: absent. */
WEIR_EXPORT
size_t weir_settings_count(const struct weir_settings *settings,
                           const char *path);

/* Element `index` of a LIST, value of entry `index` of a MAP. */
WEIR_EXPORT
const char *weir_settings_item(const struct weir_settings *settings,
                               const char *path, size_t index);

/* Key of entry `index` of a MAP. */
WEIR_EXPORT
const char *weir_settings_key(const struct weir_settings *settings,
                              const char *path, size_t index);

/* Element `index` of GROUPS, or (index 0) a GROUP; NULL when there is none. */
WEIR_EXPORT
const struct weir_settings *weir_settings_group(
    const struct weir_settings *settings, const char *path, size_t index);

#ifdef __cplusplus
}
#endif

#endif
