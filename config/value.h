/*
 * value.h - numbers with their units, as people write them.
 */
#ifndef WEIR_CONFIG_VALUE_H
#define WEIR_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Each returns NULL and the value, or what is wrong: the end of a sentence
 * that begins with the text.
 */
const char *value_int(const char *text, int64_t *ret_value);
const char *value_duration(const char *text, int64_t *ret_us);
const char *value_size(const char *text, int64_t *ret_bytes);
const char *value_bool(const char *text, bool *ret_value);

/* "50% over 1m" */
const char *value_share(const char *text, unsigned *ret_percent,
                        int64_t *ret_over_us);

/* "0.1%", of 1 */
const char *value_percent(const char *text, double *ret_share);

/* The largest unit that leaves a whole number: "1s", "1500ms", "64KiB". */
void value_duration_format(int64_t us, char *out, size_t size);
void value_size_format(int64_t bytes, char *out, size_t size);

#endif
