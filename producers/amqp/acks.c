/*
 * acks.c - turns settled messages into the fewest acknowledgement frames.
 *
 * Messages are settled one by one and out of order.  One frame per message
 * costs a quarter of the throughput; one frame with `multiple` covers all tags
 * up to its own, also those that nobody meant: ack(10, multiple) before
 * reject(5) loses message 5.
 *
 *     tag        4    5    6    7    8    9    10
 *     state     done rej. done open done left done
 *               ^ head         ^ run
 *
 *     reject(5), ack(6, multiple), and 5 ms later ack(8), ack(10)
 *
 * Only tags without a frame of their own are kept, in rising order.
 *
 * Invariants:
 *   (1) a tag is here until its frame was written, or one that covers it;
 *   (2) entries before `run` are done, and the one at `run` isn't: so
 *       ack(T, multiple) is only written for T before `run`, and every tag
 *       <= T that is not done has been written before or it would be `run`;
 *   (3) no more than `prefetch` entries are live, since the broker counts the
 *       same: the array, twice as long, never grows.
 *
 * A message that stays open, or that is left to the broker, holds back nobody:
 * those behind it are acknowledged alone, 5 ms after they were settled, or at
 * once when more than half of the prefetch waits.
 *
 * Why an array and not a ring indexed by tag: behind one stuck message tags go
 * on rising without bound; what is kept must not.
 *
 * Threads: the producer's own.
 */
#include "acks.h"

#include <stdlib.h>

#include "invariant.h"

enum { LINGER_US = 5000, FRAME_FULL = 64 };

enum state { OPEN = 0, DONE, DISCARD, REQUEUE, LEFT, WRITTEN };

struct entry {
    uint64_t tag;
    int64_t settled_us;
    enum state state;
    bool is_last; /* never requeued: the broker would drop it */
};

struct acks {
    unsigned prefetch;
    size_t head, run, tail; /* live entries are between head and tail */
    size_t capacity;
    size_t counts[WRITTEN + 1]; /* entries in each state */
    uint64_t newest;
    int64_t due_us; /* of those done behind a hole; INT64_MAX: none */
    struct entry *entries;
};

static const enum state states[WEIR_OUTCOME_COUNT] = {
    [WEIR_OUTCOME_DONE] = DONE,
    [WEIR_OUTCOME_DISCARD] = DISCARD,
    [WEIR_OUTCOME_REQUEUE] = REQUEUE,
    [WEIR_OUTCOME_LEAVE] = LEFT,
};

struct acks *acks_create(unsigned prefetch)
{
    struct acks *acks = calloc(1, sizeof(*acks));

    INVARIANT(prefetch > 0);
    if (!acks)
        return NULL;
    acks->prefetch = prefetch;
    acks->capacity = (size_t)prefetch * 2;
    acks->due_us = INT64_MAX;
    acks->entries = calloc(acks->capacity, sizeof(*acks->entries));
    if (!acks->entries) {
        acks_destroy(acks);
        return NULL;
    }
    return acks;
}

void acks_destroy(struct acks *acks)
{
    if (!acks)
        return;
    free(acks->entries);
    free(acks);
}

size_t acks_open(const struct acks *acks)
{
    return acks->counts[OPEN];
}

size_t acks_waiting(const struct acks *acks)
{
    return acks->counts[DONE] + acks->counts[DISCARD] + acks->counts[REQUEUE];
}

size_t acks_unwritten(const struct acks *acks)
{
    return acks_open(acks) + acks_waiting(acks) + acks->counts[LEFT];
}

static void set_state(struct acks *acks, struct entry *entry, enum state state)
{
    acks->counts[entry->state]--;
    acks->counts[state]++;
    entry->state = state;
}

/* Steps over what is written, and lets the run grow as far as it can. */
static void advance(struct acks *acks)
{
    while (acks->head < acks->tail &&
           acks->entries[acks->head].state == WRITTEN) {
        acks->counts[WRITTEN]--;
        acks->head++;
    }
    if (acks->run < acks->head)
        acks->run = acks->head;
    while (acks->run < acks->tail &&
           (acks->entries[acks->run].state == DONE ||
            acks->entries[acks->run].state == WRITTEN))
        acks->run++;
}

/* Moves the live entries together at the front. */
static void compact(struct acks *acks)
{
    size_t kept = 0;

    for (size_t i = acks->head; i < acks->tail; i++) {
        if (acks->entries[i].state != WRITTEN)
            acks->entries[kept++] = acks->entries[i];
    }
    acks->counts[WRITTEN] = 0;
    acks->head = 0;
    acks->run = 0;
    acks->tail = kept;
    advance(acks);
}

enum weir_status acks_begin(struct acks *acks, uint64_t tag,
                            struct weir_error *err)
{
    if (tag <= acks->newest)
        return weir_fail(err, WEIR_RETRY,
                         "the broker's delivery tags don't rise");
    if (acks_unwritten(acks) >= acks->prefetch)
        return weir_fail(err, WEIR_RETRY,
                         "the broker delivered more than the prefetch "
                         "of %u",
                         acks->prefetch);
    if (acks->tail == acks->capacity)
        compact(acks);
    acks->entries[acks->tail++] = (struct entry){.tag = tag, .state = OPEN};
    acks->counts[OPEN]++;
    acks->newest = tag;
    return WEIR_OK;
}

void acks_forbid_requeue(struct acks *acks)
{
    INVARIANT(acks->tail > acks->head);
    acks->entries[acks->tail - 1].is_last = true;
}

/* The index of `tag`, which must be live. */
static size_t find(const struct acks *acks, uint64_t tag)
{
    size_t low = acks->head, high = acks->tail;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (acks->entries[middle].tag < tag)
            low = middle + 1;
        else
            high = middle;
    }
    INVARIANT(low < acks->tail && acks->entries[low].tag == tag);
    return low;
}

/* Ends open tags; those that may not be requeued end as `near_limit`. */
static void end_run(struct acks *acks, const struct weir_settlement *run,
                    enum state state, enum state near_limit, int64_t now_us)
{
    const size_t first = find(acks, run->first);

    INVARIANT(run->count <= acks->tail - first);
    for (size_t i = 0; i < run->count; i++) {
        struct entry *entry = &acks->entries[first + i];

        INVARIANT(entry->tag == run->first + i);
        INVARIANT(entry->state == OPEN);
        entry->settled_us = now_us;
        set_state(acks, entry, entry->is_last ? near_limit : state);
    }
    advance(acks);
    if (acks->counts[DONE] > 0 && acks->due_us > now_us + LINGER_US)
        acks->due_us = now_us + LINGER_US;
}

void acks_settle(struct acks *acks, const struct weir_settlement *settlement,
                 int64_t now_us)
{
    const enum state state = states[settlement->outcome];

    end_run(acks, settlement, state, state == REQUEUE ? DISCARD : state,
            now_us);
}

void acks_hand_back(struct acks *acks, const struct weir_settlement *settlement,
                    int64_t now_us)
{
    end_run(acks, settlement, REQUEUE, LEFT, now_us);
}

static size_t frame_full(const struct acks *acks)
{
    const size_t half = acks->prefetch / 2;

    return half > FRAME_FULL ? FRAME_FULL : half > 0 ? half : 1;
}

static size_t run_length(const struct acks *acks)
{
    return acks->run - acks->head;
}

int64_t acks_due_us(const struct acks *acks)
{
    if (acks->counts[DISCARD] + acks->counts[REQUEUE] > 0 ||
        run_length(acks) >= frame_full(acks) ||
        acks->counts[DONE] > acks->prefetch / 2)
        return 0;
    return acks->counts[DONE] > 0 ? acks->due_us : INT64_MAX;
}

static enum weir_status flush_rejects(struct acks *acks, acks_write_fn write,
                                      void *opaque, struct weir_error *err)
{
    size_t left = acks->counts[DISCARD] + acks->counts[REQUEUE];

    for (size_t i = acks->head; left > 0; i++) {
        struct entry *entry = &acks->entries[i];
        struct acks_frame frame = {.verb = ACKS_REJECT, .tag = entry->tag};
        enum weir_status status;

        if (entry->state != DISCARD && entry->state != REQUEUE)
            continue;
        if (entry->state == REQUEUE)
            frame.verb = ACKS_REQUEUE;
        status = write(opaque, &frame, err);
        if (status != WEIR_OK)
            return status;
        set_state(acks, entry, WRITTEN);
        left--;
    }
    advance(acks);
    return WEIR_OK;
}

/* One frame for everything before `run`. */
static enum weir_status flush_run(struct acks *acks, acks_write_fn write,
                                  void *opaque, struct weir_error *err)
{
    struct acks_frame frame = {.verb = ACKS_ACK};
    enum weir_status status;
    size_t covered = 0;

    for (size_t i = acks->head; i < acks->run; i++) {
        if (acks->entries[i].state != DONE)
            continue;
        frame.tag = acks->entries[i].tag;
        covered++;
    }
    if (covered == 0)
        return WEIR_OK;
    frame.multiple = covered > 1;
    status = write(opaque, &frame, err);
    if (status != WEIR_OK)
        return status;
    for (size_t i = acks->head; i < acks->run; i++) {
        if (acks->entries[i].state == DONE)
            set_state(acks, &acks->entries[i], WRITTEN);
    }
    advance(acks);
    if (acks->counts[DONE] == 0)
        acks->due_us = INT64_MAX;
    return WEIR_OK;
}

/* Each on its own: settled before `before_us`, behind a hole. */
static enum weir_status flush_stragglers(struct acks *acks, int64_t before_us,
                                         acks_write_fn write, void *opaque,
                                         struct weir_error *err)
{
    for (size_t i = acks->run; i < acks->tail && acks->counts[DONE] > 0; i++) {
        struct entry *entry = &acks->entries[i];
        const struct acks_frame frame = {.verb = ACKS_ACK, .tag = entry->tag};
        enum weir_status status;

        if (entry->state != DONE || entry->settled_us > before_us)
            continue;
        status = write(opaque, &frame, err);
        if (status != WEIR_OK)
            return status;
        set_state(acks, entry, WRITTEN);
    }
    advance(acks);
    return WEIR_OK;
}

/* When the oldest that is still done and unwritten has waited long enough. */
static int64_t next_due_us(const struct acks *acks)
{
    int64_t oldest_us = INT64_MAX;

    for (size_t i = acks->head; i < acks->tail; i++) {
        if (acks->entries[i].state == DONE &&
            acks->entries[i].settled_us < oldest_us)
            oldest_us = acks->entries[i].settled_us;
    }
    return oldest_us == INT64_MAX ? INT64_MAX : oldest_us + LINGER_US;
}

enum weir_status acks_flush(struct acks *acks, enum acks_haste haste,
                            int64_t now_us, acks_write_fn write, void *opaque,
                            struct weir_error *err)
{
    const bool is_late = acks->counts[DONE] > 0 && acks->due_us <= now_us;
    const bool is_crowded = acks->counts[DONE] > acks->prefetch / 2;
    enum weir_status status = flush_rejects(acks, write, opaque, err);

    if (status != WEIR_OK)
        return status;
    if (haste != ACKS_DUE || is_late || is_crowded ||
        run_length(acks) >= frame_full(acks)) {
        status = flush_run(acks, write, opaque, err);
        if (status != WEIR_OK)
            return status;
    }
    if (haste != ACKS_ALL && !is_late && !is_crowded)
        return WEIR_OK;
    status = flush_stragglers(
        acks, haste == ACKS_ALL || is_crowded ? INT64_MAX : now_us - LINGER_US,
        write, opaque, err);
    acks->due_us = next_due_us(acks);
    return status;
}
