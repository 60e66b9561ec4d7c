/*
 * describe_option.h - one option, in words.
 */
#ifndef WEIR_CONFIG_DESCRIBE_OPTION_H
#define WEIR_CONFIG_DESCRIBE_OPTION_H

#include <stddef.h>

#include <weir/settings.h>

enum { DESCRIBE_TEXT_MAX = 256 };

/* "duration, or none", "earliest | latest"; into `out`, which is returned. */
const char *describe_type(const struct weir_option *option, char *out,
                          size_t size);

/* "1ms to 1d"; empty: no bounds. */
const char *describe_bounds(const struct weir_option *option, char *out,
                            size_t size);

/* As it would be written; NULL: none. */
const char *describe_default(const struct weir_option *option);

/* ", default 1s, 1ms to 1d", ", required, secret" */
const char *describe_facts(const struct weir_option *option, char *out,
                           size_t size);

/* Calls `visit` for each option and for those in its groups, with the path:
 * "tls.ca", "bindings[].exchange".  `options` ends with {0}. */
typedef void (*describe_visit_fn)(void *opaque, const char *path,
                                  const struct weir_option *option);
void describe_each(const struct weir_option *options, describe_visit_fn visit,
                   void *opaque);

#endif
