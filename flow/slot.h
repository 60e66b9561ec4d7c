/*
 * slot.h - what a worker has in hand, for others to see.
 */
#ifndef WEIR_FLOW_SLOT_H
#define WEIR_FLOW_SLOT_H

#include <stdatomic.h>
#include <stdint.h>

#include "message.h"

/* Written by its worker with plain stores, read by any thread: each value is
 * whole, the set may be of two moments. */
struct slot {
    _Atomic(const struct origin *) origin; /* NULL: in no callback */
    _Atomic int64_t position;              /* offset, or ticket */
    _Atomic uint64_t serial;               /* rises with every callback */
    _Atomic uint32_t held;                 /* messages in hand */
    _Atomic long tid;
};

static inline void slot_enter(struct slot *slot, const struct weir_message *msg)
{
    const int64_t position =
        msg->record->offset >= 0 ? msg->record->offset : (int64_t)msg->ticket;

    atomic_store_explicit(&slot->position, position, memory_order_relaxed);
    atomic_store_explicit(
        &slot->serial,
        atomic_load_explicit(&slot->serial, memory_order_relaxed) + 1,
        memory_order_relaxed);
    /* Partner: watch.c, which must find the origin's text written. */
    atomic_store_explicit(&slot->origin, msg->epoch->origin,
                          memory_order_release);
}

static inline void slot_leave(struct slot *slot)
{
    atomic_store_explicit(&slot->origin, NULL, memory_order_relaxed);
}

static inline void slot_hold(struct slot *slot, uint32_t count)
{
    atomic_store_explicit(&slot->held, count, memory_order_relaxed);
}

#endif
