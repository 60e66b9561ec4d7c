/*
 * heap.c - what waits for its time, the earliest first.
 *
 * A binary heap in one array: there is no timer thread, the stage that owns a
 * heap asks it how long it may sleep.
 */
#include "heap.h"

#include <stdlib.h>

#include "clock.h"

void heap_finish(struct heap *heap)
{
    free(heap->entries);
    *heap = (struct heap){0};
}

static void swap(struct heap *heap, size_t a, size_t b)
{
    const struct heap_entry entry = heap->entries[a];

    heap->entries[a] = heap->entries[b];
    heap->entries[b] = entry;
}

static void sift_up(struct heap *heap, size_t at)
{
    while (at > 0 &&
           heap->entries[at].due_us < heap->entries[(at - 1) / 2].due_us) {
        swap(heap, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

enum weir_status heap_push(struct heap *heap, int64_t due_us, void *item)
{
    const size_t at = heap->count;

    if (heap->count == heap->capacity) {
        const size_t capacity = heap->capacity ? 2 * heap->capacity : 64;
        struct heap_entry *entries =
            realloc(heap->entries, capacity * sizeof *entries);

        if (!entries)
            return WEIR_RETRY;
        heap->entries = entries;
        heap->capacity = capacity;
    }
    heap->entries[heap->count++] =
        (struct heap_entry){.due_us = due_us, .item = item};
    sift_up(heap, at);
    return WEIR_OK;
}

int64_t heap_due_us(const struct heap *heap)
{
    return heap->count > 0 ? heap->entries[0].due_us : CLOCK_NEVER_US;
}

static void sift_down(struct heap *heap, size_t at)
{
    for (;;) {
        const size_t left = 2 * at + 1, right = left + 1;
        size_t least = at;

        if (left < heap->count &&
            heap->entries[left].due_us < heap->entries[least].due_us)
            least = left;
        if (right < heap->count &&
            heap->entries[right].due_us < heap->entries[least].due_us)
            least = right;
        if (least == at)
            return;
        swap(heap, at, least);
        at = least;
    }
}

void *heap_pop(struct heap *heap, int64_t now_us)
{
    void *item;

    if (heap->count == 0 || heap->entries[0].due_us > now_us)
        return NULL;
    item = heap->entries[0].item;
    heap->entries[0] = heap->entries[--heap->count];
    sift_down(heap, 0);
    return item;
}

void *heap_extract(struct heap *heap, bool (*wants)(const void *item))
{
    size_t at = 0;
    void *item;

    while (at < heap->count && !wants(heap->entries[at].item))
        at++;
    if (at == heap->count)
        return NULL;
    item = heap->entries[at].item;
    heap->entries[at] = heap->entries[--heap->count];
    if (at < heap->count) {
        sift_up(heap, at);
        sift_down(heap, at);
    }
    return item;
}
