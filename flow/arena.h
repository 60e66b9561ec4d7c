/*
 * arena.h - memory for the changes that callbacks make, freed together.
 */
#ifndef WEIR_FLOW_ARENA_H
#define WEIR_FLOW_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "budget.h"

struct arena; /* one per worker's hand of messages */

/* One reference, the maker's.  Counted in `budget`, which outlives it.  NULL:
 * no memory. */
struct arena *arena_create(struct budget *budget);

/* What is allocated next, `size` bytes in all, each counted in eights, needs no
 * further memory; of a new arena no more than that is taken.  False: no
 * memory. */
bool arena_reserve(struct arena *arena, size_t size);

/* 8-byte aligned, followed by RECORD_TAIL readable bytes.  NULL: no memory.
 * One thread at a time. */
void *arena_alloc(struct arena *arena, size_t size);

/* Takes over one reference to `elder`, until it is freed itself; false: no
 * memory.  As arena_alloc(). */
bool arena_keep(struct arena *arena, struct arena *elder);

/* Any thread. */
void arena_hold(struct arena *arena);
void arena_release(struct arena *arena, uint32_t count);

#endif
