/*
 * watermark.c - turns per-message settlements into one committed offset.
 *
 * Kafka remembers a single number per partition: "everything below is done".
 * The pipeline settles messages one by one and out of order, because batches
 * and retries overtake each other.  This file joins the two views.
 *
 *     offset      40   41   42   43   44   45
 *     settled      x    x    .    x    x    .
 *                            ^ head         ^ newest
 *     commit point = 42: after a crash, 42..45 are read again.
 *
 * Invariants, checked by check():
 *   (1) the ring holds tickets head..tail-1, and ring[head] is unsettled;
 *   (2) the commit point never passes an unsettled offset, so that a crash may
 *       repeat records but never lose one.
 * Offsets rise with tickets, but not always by one: compaction and transaction
 * markers leave holes.
 *
 * Why a ring and not a tree: messages begin in offset order, so the oldest
 * unsettled one is always at the head, and both operations are O(1) amortized.
 * The bound is deliberate: one stuck message must stop the partition, not grow
 * the ring until memory ends.  Below the bound the ring doubles as it fills,
 * because a thousand partitions rarely need 100,000 slots each.
 *
 * A slot is one number: the offset, or, once settled, its complement, which is
 * negative.
 *
 * Threads: only the producer's own thread calls in here.  Nothing is locked.
 */
#include "watermark.h"

#include <stdlib.h>

#include "invariant.h"

enum { FIRST_SIZE = 256 }; /* slots; sizes are powers of two */

struct watermark {
    int64_t *ring;
    size_t size, capacity;
    uint64_t head, tail;
    int64_t commit_point;
};

static int64_t *slot_at(const struct watermark *mark, uint64_t ticket)
{
    return &mark->ring[ticket & (mark->size - 1)];
}

static bool is_settled(int64_t slot)
{
    return slot < 0;
}

static void check(const struct watermark *mark)
{
    INVARIANT(mark->tail - mark->head <= mark->size);
    if (mark->head == mark->tail)
        return;
    INVARIANT(!is_settled(*slot_at(mark, mark->head)));
    INVARIANT(mark->commit_point <= *slot_at(mark, mark->head));
}

/* Twice the slots, or as many as make up the first ring. */
static enum weir_status grow(struct watermark *mark)
{
    const size_t size = mark->size > 0 ? 2 * mark->size : FIRST_SIZE;
    int64_t *ring = calloc(size, sizeof *ring);

    if (!ring)
        return WEIR_AGAIN;
    for (uint64_t ticket = mark->head; ticket < mark->tail; ticket++)
        ring[ticket & (size - 1)] = *slot_at(mark, ticket);
    free(mark->ring);
    mark->ring = ring;
    mark->size = size;
    return WEIR_OK;
}

struct watermark *watermark_create(size_t capacity)
{
    struct watermark *mark = calloc(1, sizeof *mark);

    if (!mark)
        return NULL;
    mark->capacity = capacity;
    mark->commit_point = -1;
    if (grow(mark) != WEIR_OK) {
        watermark_destroy(mark);
        return NULL;
    }
    return mark;
}

void watermark_destroy(struct watermark *mark)
{
    if (!mark)
        return;
    free(mark->ring);
    free(mark);
}

enum weir_status watermark_begin(struct watermark *mark, int64_t offset,
                                 uint64_t *ret_ticket)
{
    const uint64_t open = mark->tail - mark->head;

    INVARIANT(offset >= 0 && offset >= mark->commit_point);
    if (open == mark->capacity)
        return WEIR_AGAIN;
    if (open == mark->size && grow(mark) != WEIR_OK)
        return WEIR_AGAIN;

    *slot_at(mark, mark->tail) = offset;
    *ret_ticket = mark->tail++;
    check(mark);
    return WEIR_OK;
}

bool watermark_settle(struct watermark *mark, uint64_t ticket)
{
    const uint64_t old_head = mark->head;
    int64_t *slot = slot_at(mark, ticket);

    INVARIANT(ticket >= mark->head && ticket < mark->tail);
    INVARIANT(!is_settled(*slot));
    *slot = ~*slot;

    while (mark->head < mark->tail && is_settled(*slot_at(mark, mark->head))) {
        mark->commit_point = ~*slot_at(mark, mark->head) + 1;
        mark->head++;
    }

    check(mark);
    return mark->head != old_head;
}

int64_t watermark_commit_point(const struct watermark *mark)
{
    return mark->commit_point;
}

bool watermark_advance(struct watermark *mark, int64_t position)
{
    if (mark->head != mark->tail || position <= mark->commit_point)
        return false;
    mark->commit_point = position;
    return true;
}

uint64_t watermark_head(const struct watermark *mark)
{
    return mark->head;
}

uint64_t watermark_tail(const struct watermark *mark)
{
    return mark->tail;
}
