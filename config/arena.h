/*
 * arena.h - everything that one topology is made of, freed at once.
 */
#ifndef WEIR_CONFIG_ARENA_H
#define WEIR_CONFIG_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

struct arena *arena_create(void);        /* NULL when out of memory */
void arena_destroy(struct arena *arena); /* NULL is fine */

/* Zeroed.  NULL when out of memory; the arena remembers that it was. */
void *arena_alloc(struct arena *arena, size_t size);

/* The first `size` characters of `text`, and a NUL. */
char *arena_copy(struct arena *arena, const char *text, size_t size);

bool arena_is_exhausted(const struct arena *arena);

#endif
