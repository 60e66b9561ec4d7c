/*
 * storage.h - everything that one topology is made of, freed at once.
 */
#ifndef WEIR_CONFIG_STORAGE_H
#define WEIR_CONFIG_STORAGE_H

#include <stdbool.h>
#include <stddef.h>

struct storage;

struct storage *storage_create(void);          /* NULL when out of memory */
void storage_destroy(struct storage *storage); /* NULL is fine */

/* Zeroed.  NULL when out of memory; the storage remembers that it was. */
void *storage_alloc(struct storage *storage, size_t size);

/* The first `size` characters of `text`, and a NUL. */
char *storage_copy(struct storage *storage, const char *text, size_t size);

bool storage_is_exhausted(const struct storage *storage);

#endif
