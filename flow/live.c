/*
 * live.c - the chunks whose messages are on their way.
 *
 * Threads: the producer's; others push to `born` (message_move()).
 */
#include "live.h"

void live_add(struct live *live, struct chunk *chunk)
{
    chunk->is_live = true;
    chunk->next_live = NULL;
    chunk->previous_live = live->newest;
    if (live->newest)
        live->newest->next_live = chunk;
    else
        live->oldest = chunk;
    live->newest = chunk;
}

void live_adopt(struct live *live, _Atomic(struct chunk *) *born)
{
    struct chunk *chunk;

    if (!atomic_load_explicit(born, memory_order_relaxed))
        return;
    /* Partner: the push in message_move(). */
    chunk = atomic_exchange_explicit(born, NULL, memory_order_acquire);
    while (chunk) {
        struct chunk *next = chunk->next_live;

        chunk->is_live = true;
        chunk->previous_live = NULL;
        chunk->next_live = live->copies;
        if (live->copies)
            live->copies->previous_live = chunk;
        live->copies = chunk;
        chunk = next;
    }
}

void live_remove(struct live *live, struct chunk *chunk)
{
    if (!chunk->is_live)
        return;
    if (chunk->previous_live)
        chunk->previous_live->next_live = chunk->next_live;
    else if (live->copies == chunk)
        live->copies = chunk->next_live;
    else
        live->oldest = chunk->next_live;
    if (chunk->next_live)
        chunk->next_live->previous_live = chunk->previous_live;
    else if (live->newest == chunk)
        live->newest = chunk->previous_live;
    chunk->is_live = false;
}
