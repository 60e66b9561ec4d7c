/*
 * storage.c - everything that one topology is made of, freed at once.
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
#include "storage.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct storage_block {
    struct storage_block *next;
    alignas(max_align_t) unsigned char bytes[];
};

struct storage {
    struct storage_block *blocks;
    bool is_exhausted;
};

struct storage *storage_create(void)
{
    return calloc(1, sizeof(struct storage));
}

void storage_destroy(struct storage *storage)
{
    if (!storage)
        return;
    while (storage->blocks) {
        struct storage_block *block = storage->blocks;

        storage->blocks = block->next;
        free(block);
    }
    free(storage);
}

void *storage_alloc(struct storage *storage, size_t size)
{
    struct storage_block *block = calloc(1, sizeof *block + size);

    if (!block) {
        storage->is_exhausted = true;
        return NULL;
    }
    block->next = storage->blocks;
    storage->blocks = block;
    return block->bytes;
}

char *storage_copy(struct storage *storage, const char *text, size_t size)
{
    char *copy = storage_alloc(storage, size + 1);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

bool storage_is_exhausted(const struct storage *storage)
{
    return storage->is_exhausted;
}
