/*
 * hand.h - what a worker took from the ready queue.
 */
#ifndef WEIR_FLOW_HAND_H
#define WEIR_FLOW_HAND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lane.h"
#include "message.h"

/* What a handler does in HAND_US is a hand; one that takes longer than
 * HAND_STALE_US has met something slow. */
enum { HAND_US = 5 * 1000, HAND_STALE_US = 2 * HAND_US };

/* In an ordered mode all of it is of one lane, and that lane is nobody else's
 * until ready_finish(). */
struct hand {
    struct weir_message *messages[CHUNK_SLOTS];
    uint32_t count;
    struct lane *lane;
    bool is_abandoned; /* the lane was given up: settle these as left */

    uint32_t
        quick; /* the worker's: how many are not worth waking another for */

    bool is_open;
    _Atomic uint64_t unbegun; /* messages[low half .. high half) */
    _Atomic int64_t since_us; /* when it was opened; 0: not yet */

    /* Of struct hands. */
    struct hand *next;
    uint32_t left; /* that count as in hand */
};

/* Those that workers have.  Guarded by the lock of ready.c. */
struct hands {
    struct hand *first;
    uint32_t count;  /* messages in all of them */
    bool is_watched; /* not in an order: what is behind a slow one must wait */
    uint64_t taken;  /* hands, ever */
    uint64_t quiet;  /* `taken` when a worker had slept and seen none */
};

/* The worker's. */

/* From now on messages[0 .. count) may be taken back, each until it is begun.
 */
void hand_open(struct hand *hand, uint32_t count);

/* Begins the next message; false: it was taken back, and all behind it. */
static inline bool hand_begin(struct hand *hand)
{
    const uint64_t old =
        atomic_fetch_add_explicit(&hand->unbegun, 1, memory_order_relaxed);

    return (uint32_t)old < old >> 32;
}

/* Nothing is taken back any more.  Returns how many of `count` are left. */
uint32_t hand_close(struct hand *hand, uint32_t count);

/* Any thread's, behind the lock of ready.c.  A hand without a message is in
 * no list. */
void hands_add(struct hands *hands, struct hand *hand);
void hands_remove(struct hands *hands, struct hand *hand);

/* Takes out what was not begun; what callbacks changed of it is forgotten. */
void hands_take_back(struct hands *hands, struct hand *hand,
                     struct mail_list *to);

/* Likewise of every hand that is stale. */
void hands_take_back_stale(struct hands *hands, struct mail_list *to);

/* When the next hand will be stale; CLOCK_NEVER_US: none has anything that was
 * not begun. */
int64_t hands_stale_us(const struct hands *hands);

/* When a worker that goes to sleep should look after them: also after the next
 * one, which will come soon where one came lately, so that nobody need be woken
 * to look after it. */
int64_t hands_look_us(const struct hands *hands);

#endif
