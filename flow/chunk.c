/*
 * chunk.c - messages move in chunks of up to 64.
 *
 *     | header | slot 0 | slot 1 | .. | slot 63 | record 0 | record 1 | .. |
 * tail |
 *
 * One allocation, recycled by the producer that made it.  Records are copied
 * into it when they are pulled: a held client message would pin the client's
 * whole fetch buffer, and the copy costs 1.4 ns for 100 bytes.  Locks and
 * wake-ups are paid per chunk; chunks of 64 move at half the cost of chunks of
 * 16, larger ones gain nothing.
 *
 * A chunk may be added to while its first slots travel: slots and records are
 * written once, before they leave, and never moved.  It is free when it is
 * closed and every slot came back.
 *
 * Threads: the producer adds and frees; a message's slot belongs to whoever has
 * the message.
 */
#include <stdlib.h>
#include <string.h>

#include "message.h"

static size_t header_size(uint32_t slots)
{
    const size_t size =
        sizeof(struct chunk) + slots * sizeof(struct weir_message);

    return (size + 15) / 16 * 16;
}

static size_t total_size(uint32_t slots, size_t capacity)
{
    return header_size(slots) + capacity + RECORD_TAIL;
}

struct chunk *chunk_create(struct run *run, unsigned home, uint32_t slots,
                           size_t capacity)
{
    struct chunk *chunk = malloc(total_size(slots, capacity));

    if (!chunk)
        return NULL;
    *chunk = (struct chunk){.home = home, .slots = slots, .capacity = capacity};
    chunk->records = (char *)chunk + header_size(slots);
    budget_add(&run->budget, total_size(slots, capacity));
    return chunk;
}

void chunk_destroy(struct run *run, struct chunk *chunk)
{
    if (!chunk)
        return;
    budget_remove(&run->budget, total_size(chunk->slots, chunk->capacity));
    free(chunk);
}

struct weir_message *chunk_add(struct chunk *chunk,
                               const struct weir_record *record, size_t size)
{
    struct weir_message *msg;

    if (chunk->count == chunk->slots || chunk->capacity - chunk->used < size)
        return NULL;
    msg = &chunk->messages[chunk->count++];
    *msg = (struct weir_message){.mail = {.count = 1, .size = size},
                                 .chunk = chunk};
    msg->record = record_write(chunk->records + chunk->used, record);
    chunk->used += size;
    return msg;
}
