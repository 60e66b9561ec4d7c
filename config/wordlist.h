/*
 * wordlist.h - "a, b, c" for people, "a|b|c" in tables.
 */
#ifndef WEIR_CONFIG_WORDLIST_H
#define WEIR_CONFIG_WORDLIST_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/bytes.h>

/* Adds a word to the sentence's list in `out`, a string; cut off at `size`. */
void wordlist_append(char *out, size_t size, struct weir_bytes word);

/* Steps through "a|b|c": true, and the next word; `*cursor` begins as list. */
bool wordlist_next(const char **cursor, struct weir_bytes *ret_word);
bool wordlist_has(const char *list, const char *text); /* NULL: none */

#endif
