/*
 * plain.h - texts of others as UTF-8, which JSON and metrics are.
 */
#ifndef WEIR_ADMIN_PLAIN_H
#define WEIR_ADMIN_PLAIN_H

#include <stddef.h>

#include <jansson.h>

/* `text`, or, where it isn't UTF-8, a copy in `out` with a question mark for
 * each byte above 127, cut off at `size`. */
const char *plain_utf8(const char *text, char *out, size_t size);

/* As a string; NULL: no memory. */
json_t *plain_json(const char *text);

#endif
