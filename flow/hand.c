/*
 * hand.c - what a worker took from the ready queue.
 *
 * A worker takes as many messages at once as its handler did in HAND_US lately.
 * One that is suddenly slow must not keep those behind it while others idle: so
 * what is not begun can be taken back, without asking the worker, who is in the
 * handler and would not answer.
 *
 *     messages    m0  m1  m2 | m3  m4  m5  m6 |
 *                  begun     ^ low           ^ high of `unbegun`
 *
 * The worker begins a message by adding one to the low half; whoever takes back
 * sets the high half to the low one.  Both are one atomic operation on one
 * word, so a message is begun or taken back, never both.  A worker that finds
 * that it added one to an empty range has nothing left.
 *
 * Why no lock: it is paid for each message, and most hands are over before
 * anybody looks at them.
 *
 * What prepare_messages() got may be taken back, too; it is prepared again by
 * whoever takes it, as a message that is to be tried again is.
 *
 * Threads: the worker's; hands_take_back() any, behind the lock of ready.c.
 */
#include "hand.h"

#include "clock.h"
#include "span.h"

void hand_open(struct hand *hand, uint32_t count)
{
    hand->is_open = true;
    atomic_store_explicit(&hand->since_us, clock_now_us(),
                          memory_order_relaxed);
    /* Partner: hands_take_back(), which must find `messages` written. */
    atomic_store_explicit(&hand->unbegun, (uint64_t)count << 32,
                          memory_order_release);
}

uint32_t hand_close(struct hand *hand, uint32_t count)
{
    const uint64_t old =
        atomic_exchange_explicit(&hand->unbegun, 0, memory_order_relaxed);

    return hand->is_open ? (uint32_t)(old >> 32) : count;
}

void hands_add(struct hands *hands, struct hand *hand)
{
    if (hand->count == 0)
        return;
    hand->left = hand->count;
    hand->next = hands->first;
    hands->first = hand;
    hands->count += hand->count;
    hands->taken++;
}

void hands_remove(struct hands *hands, struct hand *hand)
{
    struct hand **at = &hands->first;

    if (hand->count == 0)
        return;
    while (*at != hand)
        at = &(*at)->next;
    *at = hand->next;
    hands->count -= hand->left;
}

void hands_take_back(struct hands *hands, struct hand *hand,
                     struct mail_list *to)
{
    uint64_t old = atomic_load_explicit(&hand->unbegun, memory_order_relaxed);
    struct weir_message *last = NULL;
    uint32_t first, end;

    do {
        first = (uint32_t)old;
        end = (uint32_t)(old >> 32);
        if (first >= end)
            return;
    } while (!atomic_compare_exchange_weak_explicit(
        &hand->unbegun, &old, (uint64_t)first << 32 | first,
        memory_order_acquire, memory_order_relaxed));
    for (uint32_t i = first; i < end; i++) {
        message_forget_changes(hand->messages[i]);
        span_add(to, &last, hand->messages[i]);
        if (hand->lane)
            last = NULL; /* one slot a letter */
    }
    hand->left -= end - first;
    hands->count -= end - first;
}

/* One that was not opened yet may be so at once. */
static int64_t stale_us(const struct hand *hand, int64_t now_us)
{
    const int64_t since_us =
        atomic_load_explicit(&hand->since_us, memory_order_relaxed);
    const uint64_t unbegun =
        atomic_load_explicit(&hand->unbegun, memory_order_relaxed);

    if (hand->count == 1 ||
        (since_us > 0 && (uint32_t)unbegun >= unbegun >> 32))
        return CLOCK_NEVER_US;
    return (since_us > 0 ? since_us : now_us) + HAND_STALE_US;
}

void hands_take_back_stale(struct hands *hands, struct mail_list *to)
{
    int64_t now_us;

    if (!hands->is_watched || !hands->first)
        return;
    now_us = clock_now_us();
    for (struct hand *hand = hands->first; hand; hand = hand->next) {
        if (stale_us(hand, now_us) <= now_us)
            hands_take_back(hands, hand, to);
    }
}

int64_t hands_stale_us(const struct hands *hands)
{
    int64_t earliest = CLOCK_NEVER_US, now_us;

    if (!hands->is_watched || !hands->first)
        return earliest;
    now_us = clock_now_us();
    for (const struct hand *hand = hands->first; hand; hand = hand->next) {
        const int64_t one_us = stale_us(hand, now_us);

        earliest = one_us < earliest ? one_us : earliest;
    }
    return earliest;
}

int64_t hands_look_us(const struct hands *hands)
{
    const int64_t stale = hands_stale_us(hands);

    return stale == CLOCK_NEVER_US && hands->is_watched &&
                   hands->taken != hands->quiet
               ? clock_after_us(HAND_STALE_US)
               : stale;
}
