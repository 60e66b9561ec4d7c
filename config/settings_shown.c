/*
 * settings_shown.c - what may be shown of a value.
 *
 * Threads: any; settings are only read.
 */
#include "settings_tree.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool settings_is_hidden(const struct weir_settings *settings)
{
    if (settings->option && settings->option->flags & WEIR_OPTION_SECRET)
        return true;
    while (!settings->node && settings->parent)
        settings = settings->parent;
    return settings->node && settings->node->is_hidden;
}

/* "sasl.password", "ssl.key.pem", "API_TOKEN" */
static bool is_called_like_a_secret(const char *name)
{
    static const char *const parts[] = {"pass",  "secret",     "token", "key",
                                        "oauth", "credential", "pin",   "auth",
                                        "jaas",  "private",    "cookie"};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcasestr(name, parts[i]))
            return true;
    }
    return false;
}

/* The name of the mapping's key that it is, or is an element of. */
static const char *name_of(const struct weir_settings *settings)
{
    while (settings && !settings->name)
        settings = settings->parent;
    return settings ? settings->name : "";
}

/* A key of the user's own choice. */
static bool is_free(const struct weir_settings *settings)
{
    while (settings && !settings->option)
        settings = settings->parent;
    return !settings || settings->option->type == WEIR_OPTION_MAP;
}

static bool is_suspect(const struct weir_settings *settings)
{
    const bool is_filled_in = settings->node && settings->node->is_filled_in;

    return is_free(settings) &&
           (is_filled_in || is_called_like_a_secret(name_of(settings)));
}

/* "amqp://user:secret@host/" without what is between `//` and `@`. */
static void copy_without_user(const char *text, char *out, size_t size)
{
    const char *scheme = strstr(text, "://");
    const char *begin = scheme ? scheme + strlen("://") : text;
    const char *at = scheme ? strrchr(begin, '@') : NULL;

    if (at)
        (void)snprintf(out, size, "%.*s%s%s", (int)(begin - text), text,
                       SETTINGS_STRUCK_OUT, at);
    else
        (void)snprintf(out, size, "%s", text);
}

const char *settings_shown(const struct weir_settings *settings, char *out,
                           size_t size)
{
    if (settings_is_hidden(settings) || is_suspect(settings))
        (void)snprintf(out, size, "%s", SETTINGS_STRUCK_OUT);
    else
        copy_without_user(settings->text ? settings->text : "", out, size);
    return out;
}
