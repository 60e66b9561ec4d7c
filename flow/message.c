/*
 * message.c - a message inside the runtime: record, changes, bookkeeping.
 *
 * The three are kept apart because they end at different times.  The record is
 * what was received; it is immutable and kept until settlement, so that a retry
 * starts from it.  The changes belong to one attempt and vanish when it fails:
 * half-made ones must not leak into the next.  The bookkeeping is the runtime's
 * and no handler sees it.
 *
 * Threads: whoever has the message.
 */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "invariant.h"

bool message_is_alone(const struct weir_message *msg)
{
    return msg->chunk->slots == 1;
}

static void drop_arena(struct weir_message *msg)
{
    if (msg->arena)
        arena_release(msg->arena, 1);
    msg->arena = NULL;
    msg->changes = NULL;
    msg->reason = NULL;
}

/* It shows all that is on its way, copies too. */
static void tell_producer(struct run *run, struct chunk *chunk)
{
    _Atomic(struct chunk *) *born = &run->born[chunk->home];

    chunk->open = 1;
    chunk->next_live = atomic_load_explicit(born, memory_order_relaxed);
    /* Partner: the exchange in live_adopt(). */
    while (!atomic_compare_exchange_weak_explicit(born, &chunk->next_live,
                                                  chunk, memory_order_release,
                                                  memory_order_relaxed))
        ;
}

struct weir_message *message_move(struct run *run, struct weir_message *msg,
                                  bool with_changes)
{
    const struct record *record = msg->record;
    struct chunk *chunk = chunk_create(run, msg->chunk->home, 1, record->size);
    struct weir_message *copy;

    if (!chunk)
        return NULL;
    copy = &chunk->messages[0];
    *copy = *msg;
    copy->chunk = chunk;
    copy->mail = (struct mail){.count = 1, .size = record->size};
    memcpy(chunk->records, record, record->size);
    copy->record = (const struct record *)(const void *)chunk->records;
    chunk->count = 1;
    chunk->used = record->size;
    chunk->is_closed = true;
    chunk->failed_ms = message_is_alone(msg) ? msg->chunk->failed_ms : 0;
    if (msg->reason)
        note_write(&chunk->why, msg->reason);
    else if (message_is_alone(msg))
        note_copy(&chunk->why, &msg->chunk->why);

    /* The arena's reference moves with the changes. */
    msg->arena = NULL;
    msg->changes = NULL;
    msg->reason = NULL;
    msg->is_ghost = false; /* so does its being one */
    if (!with_changes)
        drop_arena(copy);
    /* Before its end can be known: then its epoch may be gone. */
    message_goes(run, msg, (struct whereabouts){.where = WHERE_MOVED});
    tell_producer(run, chunk);
    return copy;
}

void message_note_failure(struct weir_message *msg)
{
    if (!message_is_alone(msg))
        return;
    if (msg->chunk->failed_ms == 0)
        msg->chunk->failed_ms = clock_wall_ms();
    if (msg->reason)
        note_write(&msg->chunk->why, msg->reason);
}

void message_forget_changes(struct weir_message *msg)
{
    msg->changes = NULL;
}

/* The arena of the hand under way, of which `msg` then holds a reference. One
 * of an earlier hand is another worker's to fill: it is only kept. */
static struct arena *message_arena(struct weir_message *msg,
                                   struct context *context)
{
    if (!context->arena)
        context->arena = arena_create(&context->run->budget);
    if (!context->arena || msg->arena == context->arena)
        return context->arena;
    if (msg->arena && !msg->changes && !msg->reason)
        drop_arena(msg);
    if (msg->arena && !arena_keep(context->arena, msg->arena))
        return NULL;
    arena_hold(context->arena);
    msg->arena = context->arena;
    return msg->arena;
}

struct changes *message_changes(struct weir_message *msg)
{
    struct arena *arena;
    struct changes *made = NULL;

    if (!msg->context)
        return NULL; /* not in a callback: nothing is changed */
    arena = message_arena(msg, msg->context);
    if (arena && msg->changes && !msg->is_sealed)
        return msg->changes;
    if (arena)
        made = arena_alloc(arena, sizeof *made);
    if (!made) {
        msg->context->is_out_of_memory = true;
        return NULL;
    }
    *made =
        msg->changes ? *msg->changes : (struct changes){.retry_after_us = -1};
    msg->changes = made;
    msg->is_sealed = false;
    return made;
}

void message_set_reason(struct weir_message *msg, struct context *context,
                        const char *fmt, ...)
{
    struct arena *arena;
    char text[1000], *copy;
    va_list args;
    size_t size;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    size = strlen(text) + 1;
    msg->reason = NULL; /* nothing of an older arena is needed for it */
    arena = message_arena(msg, context);
    copy = arena ? arena_alloc(arena, size) : NULL;
    if (copy)
        memcpy(copy, text, size);
    msg->reason = copy ? copy : "failed (no memory for the reason)";
}

const char *message_name(const struct weir_message *msg, char *out, size_t size)
{
    const struct origin *origin = msg->epoch->origin;

    if (origin->partition >= 0)
        (void)snprintf(out, size, "%s[%d]@%lld", origin->topic,
                       (int)origin->partition, (long long)msg->record->offset);
    else
        (void)snprintf(out, size, "%s#%llu", origin->topic,
                       (unsigned long long)msg->ticket);
    return out;
}
