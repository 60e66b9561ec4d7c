/*
 * window.c - what was published on one channel and is not confirmed.
 *
 * After confirm.select the broker counts what is published, from 1, and so do
 * we.  It confirms numbers in any order, one by one or "this one and all
 * before it":
 *
 *     number     41    42    43    44    45    46
 *     confirmed   x     x     .     x     .     .
 *                             ^ first            ^ next
 *     a confirm of 45 with `multiple` is one of 43 and 45.
 *
 * Outcome and confirm are two things: a message that was returned has its
 * outcome before its confirm comes, and the confirm changes nothing.
 *
 * Invariants:
 *   (1) numbers first .. next-1 are in the ring, and `first` is unconfirmed;
 *   (2) a message gets one outcome, and none from a confirm that can't be: of a
 *       number that was not given, not wholly written, or confirmed before.
 *       After such a one the broker and we don't mean the same, and the channel
 *       is given up.
 *
 * Why not one outcome for each confirm: a broker that is busy confirms hundreds
 * at once, and a batch takes a range in one call.
 *
 * Threads: the sink worker's.
 */
#include "window.h"

#include <stdlib.h>

#include "invariant.h"

struct slot {
    struct weir_batch *batch; /* NULL: it has its outcome */
    uint64_t position;
    uint32_t index;
    bool is_confirmed;
};

struct window {
    size_t capacity;
    uint64_t first, next;
    uint64_t open, concluded, confirmed;
    struct slot slots[];
};

static const struct meaning {
    enum weir_status outcome;
    const char *reason;
} meanings[] = {
    [WINDOW_ACK] = {WEIR_OK, NULL},
    [WINDOW_NACK] = {WEIR_RETRY, "the broker could not take it (basic.nack)"},
};

struct window *window_create(size_t capacity)
{
    struct window *window =
        calloc(1, sizeof *window + capacity * sizeof window->slots[0]);

    if (!window)
        return NULL;
    window->capacity = capacity;
    window->first = 1;
    window->next = 1;
    return window;
}

void window_destroy(struct window *window)
{
    free(window);
}

static struct slot *slot_of(struct window *window, uint64_t tag)
{
    return &window->slots[tag % window->capacity];
}

size_t window_open_count(const struct window *window)
{
    return window->open;
}

bool window_is_full(const struct window *window)
{
    return window->next - window->first == window->capacity;
}

void window_begin(struct window *window, struct weir_batch *batch, size_t index,
                  uint64_t position)
{
    INVARIANT(!window_is_full(window));
    *slot_of(window, window->next) = (struct slot){
        .batch = batch, .index = (uint32_t)index, .position = position};
    window->next++;
    window->open++;
}

/* Slots from `tag` on, up to `last`, that are one range of one batch. */
static size_t range_at(struct window *window, uint64_t tag, uint64_t last)
{
    const struct slot *start = slot_of(window, tag);
    size_t count = 1;

    while (tag + count <= last) {
        const struct slot *slot = slot_of(window, tag + count);

        if (slot->is_confirmed || slot->batch != start->batch ||
            slot->index != start->index + count)
            break;
        count++;
    }
    return count;
}

/* Numbers `tag` to `last`, none of which is confirmed. */
static void conclude_range(struct window *window, uint64_t tag, size_t count,
                           enum weir_status outcome, const char *reason)
{
    struct slot *start = slot_of(window, tag);
    struct weir_batch *batch = start->batch;
    const size_t index = start->index;

    for (size_t i = 0; i < count; i++)
        slot_of(window, tag + i)->batch = NULL;
    if (!batch)
        return;
    window->concluded += count;
    weir_batch_set_outcome(batch, index, count, outcome, reason);
}

static void confirm_range(struct window *window, uint64_t tag, size_t count)
{
    for (size_t i = 0; i < count; i++)
        slot_of(window, tag + i)->is_confirmed = true;
    window->open -= count;
    window->confirmed += count;
}

static void retire(struct window *window)
{
    while (window->first < window->next &&
           slot_of(window, window->first)->is_confirmed)
        window->first++;
}

enum weir_status window_confirm(struct window *window, uint64_t tag,
                                bool multiple, uint64_t written,
                                enum window_verdict verdict,
                                struct weir_error *err)
{
    const struct meaning *meaning = &meanings[verdict];
    uint64_t at = multiple ? window->first : tag;

    if (tag < window->first || tag >= window->next ||
        slot_of(window, tag)->is_confirmed ||
        slot_of(window, tag)->position > written)
        return weir_fail(err, WEIR_RETRY,
                         "the broker confirmed a message (%llu) that waits "
                         "for no confirm",
                         (unsigned long long)tag);
    while (at <= tag) {
        size_t count = 1;

        if (!slot_of(window, at)->is_confirmed) {
            count = range_at(window, at, tag);
            confirm_range(window, at, count);
            conclude_range(window, at, count, meaning->outcome,
                           meaning->reason);
        }
        at += count;
    }
    retire(window);
    return WEIR_OK;
}

uint64_t window_find(const struct window *window, uint64_t tag,
                     struct weir_message **ret_msg)
{
    if (tag < window->first)
        tag = window->first;
    for (; tag < window->next; tag++) {
        const struct slot *slot = &window->slots[tag % window->capacity];

        if (!slot->batch)
            continue;
        *ret_msg = weir_batch_message(slot->batch, slot->index);
        return tag;
    }
    return 0;
}

void window_conclude(struct window *window, uint64_t tag,
                     enum weir_status outcome, const char *reason)
{
    conclude_range(window, tag, 1, outcome, reason);
}

uint64_t window_concluded(const struct window *window)
{
    return window->concluded;
}

uint64_t window_confirmed(const struct window *window)
{
    return window->confirmed;
}
