/*
 * arena.c - everything that one topology is made of, freed at once.
 *
 * A topology is a tree of some hundred small objects that are made one after
 * the other and die together.  With one owner for all of them, a load that
 * fails half-way has one thing to clean up, and "out of memory" is asked once,
 * at the end, instead of at every leaf.
 *
 * Why every object is an allocation of its own: files are small, and so a
 * write past the end of one is seen by the tools that look for it.
 *
 * Threads: none; the loader's.
 */
#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct arena_block *blocks;
    bool is_exhausted;
};

struct arena *arena_create(void)
{
    return calloc(1, sizeof(struct arena));
}

void arena_destroy(struct arena *arena)
{
    if (!arena)
        return;
    while (arena->blocks) {
        struct arena_block *block = arena->blocks;

        arena->blocks = block->next;
        free(block);
    }
    free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct arena_block *block = calloc(1, sizeof *block + size);

    if (!block) {
        arena->is_exhausted = true;
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return block->bytes;
}

char *arena_copy(struct arena *arena, const char *text, size_t size)
{
    char *copy = arena_alloc(arena, size + 1);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

bool arena_is_exhausted(const struct arena *arena)
{
    return arena->is_exhausted;
}
