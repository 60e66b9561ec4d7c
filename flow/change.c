/*
 * change.c - <weir/change.h>: what a handler may change of a message.
 *
 * Every change is copied into the arena of the hand of messages under way.
 * Where there is no memory for one, the message's context remembers it, and the
 * runner answers WEIR_RETRY in the handler's name: a message never goes on with
 * half of what its handler said.  Outside of a callback (a sink connector, a
 * pointer that was kept) nothing is changed.
 *
 * Threads: the worker that runs the callback.
 */
#include <weir/change.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "message.h"

/* A copy in the arena, followed by a NUL; NULL: no memory, noted. */
static void *keep(struct weir_message *msg, const void *data, size_t size)
{
    char *at = arena_alloc(msg->arena, size + 1);

    if (!at) {
        msg->context->is_out_of_memory = true;
        return NULL;
    }
    if (size > 0)
        memcpy(at, data, size);
    at[size] = '\0';
    return at;
}

enum weir_status weir_message_set_payload(struct weir_message *msg,
                                          struct weir_bytes bytes)
{
    struct changes *changes = message_changes(msg);
    void *copy = NULL;

    if (changes && bytes.data)
        copy = keep(msg, bytes.data, bytes.size);
    if (!changes || (bytes.data && !copy))
        return WEIR_RETRY;
    changes->payload = (struct weir_bytes){copy, copy ? bytes.size : 0};
    changes->has_payload = true;
    return WEIR_OK;
}

void *weir_message_reserve(struct weir_message *msg, size_t size)
{
    struct changes *changes = message_changes(msg);

    if (!changes)
        return NULL;
    changes->reserved =
        size < SIZE_MAX ? arena_alloc(msg->arena, size + 1) : NULL;
    changes->reserved_size = size;
    if (!changes->reserved)
        msg->context->is_out_of_memory = true;
    return changes->reserved;
}

void weir_message_commit(struct weir_message *msg, size_t size)
{
    struct changes *changes = message_changes(msg);

    if (!changes || !changes->reserved)
        return;
    if (size > changes->reserved_size)
        size = changes->reserved_size;
    ((char *)changes->reserved)[size] = '\0';
    changes->payload = (struct weir_bytes){changes->reserved, size};
    changes->has_payload = true;
    changes->reserved = NULL;
}

void weir_message_route(struct weir_message *msg, const char *batcher)
{
    struct changes *changes = message_changes(msg);

    if (changes)
        changes->batcher = batcher ? keep(msg, batcher, strlen(batcher)) : NULL;
}

void weir_message_set_batch_key(struct weir_message *msg, struct weir_bytes key)
{
    struct changes *changes = message_changes(msg);

    if (!changes)
        return;
    changes->batch_key.data = key.data ? keep(msg, key.data, key.size) : NULL;
    changes->batch_key.size = changes->batch_key.data ? key.size : 0;
}

void weir_message_flush(struct weir_message *msg)
{
    struct changes *changes = message_changes(msg);

    if (changes)
        changes->is_flush = true;
}

enum weir_status weir_message_add_header(struct weir_message *msg,
                                         const char *name,
                                         struct weir_bytes value)
{
    struct changes *changes = message_changes(msg);
    struct extra_header *extra;
    const size_t size = strlen(name);

    if (!changes)
        return WEIR_RETRY;
    extra = arena_alloc(msg->arena, sizeof *extra);
    if (!extra) {
        msg->context->is_out_of_memory = true;
        return WEIR_RETRY;
    }
    *extra = (struct extra_header){0};
    extra->header.name = (struct weir_bytes){keep(msg, name, size), size};
    if (value.data)
        extra->header.value =
            (struct weir_bytes){keep(msg, value.data, value.size), value.size};
    if (!extra->header.name.data || (value.data && !extra->header.value.data))
        return WEIR_RETRY;
    if (changes->last_header)
        changes->last_header->next = extra;
    else
        changes->headers = extra;
    changes->last_header = extra;
    changes->header_count++;
    return WEIR_OK;
}

enum weir_status weir_message_reject(struct weir_message *msg, const char *fmt,
                                     ...)
{
    char text[1000];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (msg->context)
        message_set_reason(msg, msg->context, "%s", text);
    return WEIR_REJECT;
}

/* At most a year: what is longer is surely no delay. */
static int64_t clamped_us(int64_t delay_ms)
{
    const int64_t year_ms = INT64_C(365) * 24 * 3600 * 1000;

    if (delay_ms < 0)
        return 0;
    return (delay_ms < year_ms ? delay_ms : year_ms) * 1000;
}

enum weir_status weir_message_retry_after(struct weir_message *msg,
                                          int64_t delay_ms)
{
    struct changes *changes = message_changes(msg);

    if (changes)
        changes->retry_after_us = clamped_us(delay_ms);
    return WEIR_RETRY;
}

void weir_message_set_failure_policy(struct weir_message *msg,
                                     enum weir_policy policy)
{
    struct run *run = msg->context ? msg->context->run : NULL;

    if (!run)
        return;
    if ((unsigned)policy >= WEIR_POLICY_COUNT ||
        !(run->policies & (1U << policy)))
        counter_add(&run->counters.callback_errors, 1);
    else
        msg->policy = (uint8_t)(policy + 1);
}

void weir_message_settle_early(struct weir_message *msg)
{
    struct changes *changes = message_changes(msg);

    if (changes)
        changes->is_early = true;
}
