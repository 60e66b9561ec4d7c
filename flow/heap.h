/*
 * heap.h - what waits for its time, the earliest first.
 */
#ifndef WEIR_FLOW_HEAP_H
#define WEIR_FLOW_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/status.h>

struct heap_entry {
    int64_t due_us;
    void *item;
};

/* Zeroed is empty. */
struct heap {
    struct heap_entry *entries;
    size_t count, capacity;
};

/* Frees the heap, not what is in it. */
void heap_finish(struct heap *heap);

/* WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status heap_push(struct heap *heap, int64_t due_us, void *item);

/* CLOCK_NEVER_US when empty. */
int64_t heap_due_us(const struct heap *heap);

/* The earliest, if it is due at `now_us`; else NULL. */
void *heap_pop(struct heap *heap, int64_t now_us);

/* Any one that `wants` chooses, or NULL. */
void *heap_extract(struct heap *heap, bool (*wants)(const void *item));

#endif
