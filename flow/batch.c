/*
 * batch.c - messages on their way to a destination together.
 *
 * A batch refers to messages, which stay in their chunks.  While a sink has it,
 * every message gets one outcome, in any order; the batch is over when none is
 * missing, and not before.  A second outcome for a message comes from a
 * connector's mistake or a late confirm: it is refused and counted, and aborts
 * where WEIR_STRICT is set, as in tests.
 *
 * Threads: one at a time: its batcher, then its sink worker.
 */
#include "batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invariant.h"

enum { FIRST_CAPACITY = 64 };

/* A message as handle_batch() got it. */
struct batch_seal {
    struct changes *changes;
    struct arena *arena;
};

struct weir_batch *batch_create(struct run *run, const char *batcher,
                                struct weir_bytes key, unsigned worker)
{
    struct weir_batch *batch = calloc(1, sizeof *batch + key.size + 1);
    char *copy;

    if (!batch)
        return NULL;
    batch->run = run;
    batch->batcher = batcher;
    batch->worker = worker;
    if (key.data) {
        copy = (char *)(batch + 1);
        if (key.size > 0)
            memcpy(copy, key.data, key.size);
        batch->key = (struct weir_bytes){copy, key.size};
    }
    return batch;
}

static void forget_outcomes(struct weir_batch *batch)
{
    while (batch->reasons) {
        struct batch_reason *reason = batch->reasons;

        batch->reasons = reason->next;
        free(reason);
    }
    free(batch->outcomes);
    free(batch->why);
    batch->outcomes = NULL;
    batch->why = NULL;
}

void batch_destroy(struct weir_batch *batch)
{
    if (!batch)
        return;
    forget_outcomes(batch);
    free(batch->messages);
    free(batch);
}

bool batch_has_key(const struct weir_batch *batch, struct weir_bytes key)
{
    if (!batch->key.data || !key.data)
        return batch->key.data == key.data;
    return batch->key.size == key.size &&
           memcmp(batch->key.data, key.data, key.size) == 0;
}

enum weir_status batch_add(struct weir_batch *batch, struct weir_message *msg)
{
    if (batch->count == batch->capacity) {
        const uint32_t capacity =
            batch->capacity ? 2 * batch->capacity : FIRST_CAPACITY;
        struct weir_message **messages =
            realloc(batch->messages, capacity * sizeof *messages);

        if (!messages)
            return WEIR_RETRY;
        batch->messages = messages;
        batch->capacity = capacity;
    }
    batch->messages[batch->count++] = msg;
    batch->mail.count++;
    batch->mail.size += msg->record->size;
    return WEIR_OK;
}

enum weir_status batch_begin(struct weir_batch *batch)
{
    forget_outcomes(batch);
    batch->outcomes = calloc(batch->count ? batch->count : 1, 1);
    batch->why = calloc(batch->count ? batch->count : 1, sizeof *batch->why);
    batch->missing = batch->count;
    if (batch->outcomes && batch->why)
        return WEIR_OK;
    forget_outcomes(batch);
    return WEIR_RETRY;
}

enum weir_status batch_seal(struct weir_batch *batch)
{
    batch->seals = calloc(batch->count, sizeof *batch->seals);
    if (!batch->seals)
        return WEIR_RETRY;
    for (uint32_t i = 0; i < batch->count; i++) {
        struct weir_message *msg = batch->messages[i];

        batch->seals[i] = (struct batch_seal){msg->changes, msg->arena};
        if (msg->arena)
            arena_hold(msg->arena);
        msg->is_sealed = true;
        msg->reason = NULL; /* of an earlier delivery */
    }
    return WEIR_OK;
}

void batch_unseal(struct weir_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct batch_seal *seal = &batch->seals[i];
        struct weir_message *msg = batch->messages[i];
        struct arena *unused = seal->arena;

        msg->changes = seal->changes;
        msg->is_sealed = false;
        if (seal->arena && !msg->reason) {
            unused = msg->arena;
            msg->arena = seal->arena;
        }
        if (unused)
            arena_release(unused, 1);
    }
    free(batch->seals);
    batch->seals = NULL;
}

enum weir_status batch_outcome(const struct weir_batch *batch, uint32_t index)
{
    return batch->outcomes[index] > 0
               ? (enum weir_status)(batch->outcomes[index] - 1)
               : WEIR_STATUS_COUNT;
}

void batch_keep(struct weir_batch *batch, const bool *keep)
{
    uint32_t kept = 0;

    batch->mail = (struct mail){0};
    for (uint32_t i = 0; i < batch->count; i++) {
        if (!keep[i])
            continue;
        batch->messages[kept++] = batch->messages[i];
        batch->mail.size += batch->messages[i]->record->size;
    }
    batch->count = kept;
    batch->mail.count = kept;
    forget_outcomes(batch);
}

size_t weir_batch_count(const struct weir_batch *batch)
{
    return batch->count;
}

struct weir_message *weir_batch_message(struct weir_batch *batch, size_t index)
{
    INVARIANT(index < batch->count);
    return batch->messages[index];
}

struct weir_bytes weir_batch_key(const struct weir_batch *batch)
{
    return batch->key;
}

const char *weir_batch_batcher(const struct weir_batch *batch)
{
    return batch->batcher;
}

/* NULL when there is no memory: the outcome counts, the text does not. */
static const char *keep_reason(struct weir_batch *batch, const char *text)
{
    const size_t size = strlen(text) + 1;
    struct batch_reason *reason = malloc(sizeof *reason + size);

    if (!reason)
        return NULL;
    memcpy(reason->text, text, size);
    reason->next = batch->reasons;
    batch->reasons = reason;
    return reason->text;
}

static void refuse(struct weir_batch *batch)
{
    counter_add(&batch->run->counters.refused_settlements, 1);
    INVARIANT(!batch->run->is_strict);
}

void weir_batch_set_outcome(struct weir_batch *batch, size_t first,
                            size_t count, enum weir_status status,
                            const char *reason)
{
    const char *text = NULL;
    char nonsense[64];

    if (!batch->outcomes || first > batch->count ||
        count > batch->count - first) {
        refuse(batch);
        return;
    }
    if ((unsigned)status >= WEIR_STATUS_COUNT) {
        (void)snprintf(nonsense, sizeof nonsense,
                       "the outcome was %d, which is none", (int)status);
        status = WEIR_REJECT;
        reason = nonsense;
    }
    if (status != WEIR_OK && reason)
        text = keep_reason(batch, reason);
    for (size_t i = first; i < first + count; i++) {
        if (batch->outcomes[i] > 0) {
            refuse(batch);
            continue;
        }
        batch->outcomes[i] = (uint8_t)(status + 1);
        batch->why[i] = text;
        batch->missing--;
    }
}
