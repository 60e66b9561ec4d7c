/*
 * budget.h - the bytes that messages in flight may take, for a whole pipeline.
 */
#ifndef WEIR_FLOW_BUDGET_H
#define WEIR_FLOW_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
    _Atomic size_t used;
    size_t limit;
};

/* Counts in any case: what was taken in must be kept. */
static inline void budget_add(struct budget *budget, size_t size)
{
    atomic_fetch_add_explicit(&budget->used, size, memory_order_relaxed);
}

static inline void budget_remove(struct budget *budget, size_t size)
{
    atomic_fetch_sub_explicit(&budget->used, size, memory_order_relaxed);
}

/* Whether a producer may still take in `size` more. */
static inline bool budget_has_room(const struct budget *budget, size_t size)
{
    return atomic_load_explicit(&budget->used, memory_order_relaxed) + size <=
           budget->limit;
}

#endif
