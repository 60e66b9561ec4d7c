/*
 * test_settings.h - settings without a topology file.
 *
 * Implements weir_settings_*() over one connector's option table, for tests
 * that drive a connector alone.  Lists are comma-separated, entries of a map
 * and options of a group are set by their dotted path.
 */
#ifndef WEIR_TEST_SETTINGS_H
#define WEIR_TEST_SETTINGS_H

#include <stdbool.h>

#include <weir/settings.h>
#include <weir/share.h>

/* New; `options` ends with {0} and is borrowed. */
struct weir_settings *test_settings_create(const struct weir_option *options);
void test_settings_destroy(struct weir_settings *settings);

/* As a user would write it.  Replaces what was set before. */
void test_settings_set(struct weir_settings *settings, const char *path,
                       const char *text);

/* One instance of one, 1 MiB messages, unless changed. */
struct weir_share *test_settings_share(struct weir_settings *settings);

/* What check() refused, "path: text\n" each, since the last call. */
const char *test_settings_take_refusals(struct weir_settings *settings);
const char *test_settings_take_warnings(struct weir_settings *settings);

/* Whether `text` is a value of `option`; INT, DURATION, SIZE and BOOL give it.
 */
bool test_option_parse(const struct weir_option *option, const char *text,
                       int64_t *ret_number);

#endif
