/*
 * arena.c - memory for the changes that callbacks make, freed together.
 *
 * A worker runs a callback on up to 64 messages in a row, and each may make a
 * new payload, a batch key, headers.  malloc() here and free() on the thread
 * where the message ends would cost 200 to 340 ns a message (the allocator's
 * lock and a cold cache).  So the changes of one hand of messages share an
 * arena: blocks that are only appended to.  Each message that has a change
 * holds a reference, as the worker does while it fills the arena; the last one
 * to let go frees all.
 *
 * An arena is filled by the worker that made it, and by no other: two messages
 * of one hand may be with two threads later, and both may be changed there. A
 * worker that changes such a message uses its own arena, which then keeps the
 * older one.
 *
 * Threads: filled by one; references are atomic.
 */
#include "arena.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "record.h"

enum { BLOCK_SIZE = 16 * 1024 };

struct block {
    struct block *next;
    size_t size, used; /* of what follows */
};

struct arena {
    _Atomic uint32_t references;
    struct budget *budget;
    struct block *blocks; /* the newest first */
    struct elder *elders; /* in the blocks */
    struct arena *next_dying;
};

struct elder {
    struct elder *next;
    struct arena *arena;
};

static struct block *add_block(struct arena *arena, size_t size)
{
    struct block *block = malloc(sizeof *block + size + RECORD_TAIL);

    if (!block)
        return NULL;
    *block = (struct block){.next = arena->blocks, .size = size};
    arena->blocks = block;
    budget_add(arena->budget, size);
    return block;
}

struct arena *arena_create(struct budget *budget)
{
    struct arena *arena = malloc(sizeof *arena);

    if (!arena)
        return NULL;
    *arena = (struct arena){.references = 1, .budget = budget};
    return arena;
}

bool arena_reserve(struct arena *arena, size_t size)
{
    const struct block *block = arena->blocks;

    return (block && block->size - block->used >= size) ||
           add_block(arena, size);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct block *block = arena->blocks;
    void *at;

    if (size > PTRDIFF_MAX / 2)
        return NULL;
    size = (size + 7) / 8 * 8;
    if (!block || block->size - block->used < size)
        block = add_block(arena, size > BLOCK_SIZE ? size : BLOCK_SIZE);
    if (!block)
        return NULL;
    at = (char *)(block + 1) + block->used;
    block->used += size;
    return at;
}

void arena_hold(struct arena *arena)
{
    atomic_fetch_add_explicit(&arena->references, 1, memory_order_relaxed);
}

bool arena_keep(struct arena *arena, struct arena *elder)
{
    struct elder *node = arena_alloc(arena, sizeof *node);

    if (!node)
        return false;
    *node = (struct elder){.next = arena->elders, .arena = elder};
    arena->elders = node;
    return true;
}

/* Gives up `count` references; true: they were the last. */
static bool let_go(struct arena *arena, uint32_t count)
{
    /* Partner: the releases of all other threads, which wrote before this. */
    return atomic_fetch_sub_explicit(&arena->references, count,
                                     memory_order_acq_rel) == count;
}

static void destroy(struct arena *arena)
{
    while (arena->blocks) {
        struct block *block = arena->blocks;

        arena->blocks = block->next;
        budget_remove(arena->budget, block->size);
        free(block);
    }
    free(arena);
}

/* A line of elders may be long, so this is a loop. */
void arena_release(struct arena *arena, uint32_t count)
{
    struct arena *dying = let_go(arena, count) ? arena : NULL;

    while (dying) {
        struct arena *dead = dying;

        dying = dead->next_dying;
        for (struct elder *at = dead->elders; at; at = at->next) {
            if (!let_go(at->arena, 1))
                continue;
            at->arena->next_dying = dying;
            dying = at->arena;
        }
        destroy(dead);
    }
}
