/*
 * ready.c - what waits for a worker, in the order that was asked for.
 *
 *   none:     [span][span][span]          an idle worker takes its fair share,
 *                                         or what a slow one has not begun
 *   ordered:  ready queue of lanes  -->   a free worker takes the next lane and
 *             lane: [msg][msg][msg]       runs up to a chunk of it, alone
 *   both:     heap of what waits for its time (retries, requeues)
 *
 * Fair share: what waits divided by the workers, between one message and a
 * chunk, but no less than what is over before another worker is awake.  Fast
 * handlers so move 64 at a time, slow ones spread over all workers.  A worker
 * that finds nothing looks at the hands of the others: what one of them has not
 * begun for long comes back here, see hand.c, so a message that is suddenly
 * slow parks nothing behind it while a worker is idle.  Of the workers that
 * sleep at least one wakes in time to look.
 *
 * The window: at most max_demand messages per worker wait or are in hand, and
 * producers are asked for more when min_demand are left.  Messages of sources
 * that are held ("parked") do not count, else one stuck partition would use up
 * the demand of the healthy ones.  Nor do messages that wait for a retry: they
 * are bounded by the memory budget.
 *
 * Invariants: a lane is in the ready queue exactly when it is READY; a RUNNING
 * lane belongs to one worker; a lane leaves the table when it is idle and
 * empty.  A lane of a new epoch is the same lane, so it starts only when the
 * old epoch's callback has returned.
 *
 * Why the retry heap is here and not in a worker: its owner may be busy for
 * long while others are idle.
 *
 * Threads: any, behind `lock`; `is_wanted` is atomic.
 */
#include "ready.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "clock.h"
#include "heap.h"
#include "invariant.h"
#include "span.h"

struct ready {
    struct run *run;
    pthread_mutex_t lock;
    pthread_cond_t work;
    unsigned workers, asleep;
    unsigned scouts; /* of those asleep, who look after the others' hands */
    uint32_t window, low, chunk;
    bool is_ordered, is_closed;
    bool is_hurried; /* a drain has begun: nothing waits for its time */

    uint32_t quick; /* as the last hand that came back said */
    struct mail_list spans;
    struct lanes lanes;
    struct lane_queue queue; /* of READY lanes */
    struct heap retries;     /* single messages */
    struct heap held;        /* lanes */

    uint32_t waiting; /* in spans and lanes */
    uint32_t delayed; /* in `retries` */
    struct hands hands;
    uint32_t parked[RUN_MAX_HOMES];
    _Atomic bool is_wanted[RUN_MAX_HOMES]; /* a producer sleeps for room */
};

struct ready *ready_create(struct run *run, const struct ready_limits *limits)
{
    struct ready *ready = calloc(1, sizeof *ready);
    const uint32_t step = limits->max_demand - limits->min_demand;

    if (!ready || !lanes_init(&ready->lanes)) {
        free(ready);
        return NULL;
    }
    ready->run = run;
    ready->workers = limits->workers;
    ready->window = limits->workers * limits->max_demand;
    ready->low = limits->workers * limits->min_demand;
    ready->chunk = step < CHUNK_SLOTS ? step : CHUNK_SLOTS;
    ready->is_ordered = run->ordering != WEIR_ORDERING_NONE;
    ready->hands.is_watched = !ready->is_ordered;
    mail_list_init(&ready->spans);
    (void)pthread_mutex_init(&ready->lock, NULL);
    clock_cond_init(&ready->work);
    return ready;
}

void ready_destroy(struct ready *ready)
{
    if (!ready)
        return;
    INVARIANT(ready->waiting == 0 && ready->delayed == 0);
    heap_finish(&ready->retries);
    heap_finish(&ready->held);
    lanes_finish(&ready->lanes);
    (void)pthread_cond_destroy(&ready->work);
    (void)pthread_mutex_destroy(&ready->lock);
    free(ready);
}

/* Only in ordered modes is it asked for.  Written under `lock` only, so a load
 * and a store are enough; read by producers without it. */
static void count_waiting_locked(const struct ready *ready,
                                 struct weir_message *msg, int change)
{
    const uint32_t waiting =
        atomic_load_explicit(&msg->epoch->waiting, memory_order_relaxed);

    if (ready->is_ordered)
        atomic_store_explicit(&msg->epoch->waiting, waiting + (uint32_t)change,
                              memory_order_relaxed);
}

static void count_list_locked(const struct ready *ready,
                              const struct mail_list *list, int change)
{
    for (struct mail *mail = list->head; mail; mail = mail->next) {
        struct weir_message *span = message_of(mail);

        for (uint32_t i = 0; i < mail->count; i++)
            count_waiting_locked(ready, &span[i], change);
    }
}

/* ---- lanes in the ready queue ---- */

/* An idle lane is queued when it has messages, and dropped when not. */
static void rest_lane_locked(struct ready *ready, struct lane *lane)
{
    lane->state = LANE_IDLE;
    if (lane->messages.head)
        lane_queue_add(&ready->queue, lane);
    else if (!lane->is_abandoned)
        lanes_drop(&ready->lanes, lane);
}

/* What is due comes before what waits, the earliest first. */
static void due_locked(struct ready *ready, int64_t now)
{
    struct weir_message *msg = heap_pop(&ready->retries, now);
    struct lane *lane = heap_pop(&ready->held, now);
    struct mail_list due;

    mail_list_init(&due);
    while (msg) {
        mail_list_add(&due, &msg->mail);
        ready->delayed--;
        ready->waiting++;
        count_waiting_locked(ready, msg, 1);
        msg = heap_pop(&ready->retries, now);
    }
    mail_list_join(&due, &ready->spans);
    mail_list_join(&ready->spans, &due);
    while (lane) {
        if (lane->state == LANE_HELD)
            rest_lane_locked(ready, lane);
        lane = heap_pop(&ready->held, now);
    }
}

/* In front of what waits in `list`. */
static void put_back_locked(struct ready *ready, struct mail_list *list,
                            struct mail_list *back)
{
    ready->waiting += back->count;
    count_list_locked(ready, back, 1);
    mail_list_join(back, list);
    mail_list_join(list, back);
}

/* ---- hands ---- */

/* What was not begun comes back to where it was taken from. */
static void take_back_locked(struct ready *ready, struct hand *hand)
{
    struct mail_list *list = hand->lane ? &hand->lane->messages : &ready->spans;
    struct mail_list back;

    mail_list_init(&back);
    hands_take_back(&ready->hands, hand, &back);
    put_back_locked(ready, list, &back);
}

/* ---- the producers' side ---- */

uint32_t ready_demand(struct ready *ready, unsigned home, uint32_t parked)
{
    uint32_t used, all_parked = 0;

    (void)pthread_mutex_lock(&ready->lock);
    ready->parked[home] = parked;
    for (unsigned i = 0; i < ready->run->home_count; i++)
        all_parked += ready->parked[i];
    used = ready->waiting + ready->hands.count;
    (void)pthread_mutex_unlock(&ready->lock);

    used -= all_parked < used ? all_parked : used;
    return used < ready->window ? ready->window - used : 0;
}

uint32_t ready_source_limit(const struct ready *ready, uint32_t sources)
{
    const uint32_t share = ready->window / (sources + 1);

    if (!ready->is_ordered)
        return UINT32_MAX;
    return share > CHUNK_SLOTS ? share : CHUNK_SLOTS;
}

static bool offer_lane_locked(struct ready *ready, struct weir_message *msg)
{
    struct lane *lane = lanes_get(&ready->lanes, msg->lane);

    if (!lane)
        return false;
    msg->mail.count = 1;
    msg->mail.size = msg->record->size;
    mail_list_add(&lane->messages, &msg->mail);
    count_waiting_locked(ready, msg, 1);
    if (lane->state == LANE_IDLE)
        lane_queue_add(&ready->queue, lane);
    return true;
}

/* Returns how many slots of the span found a lane. */
static uint32_t offer_span_locked(struct ready *ready,
                                  struct weir_message *span, uint32_t count)
{
    uint32_t taken = 0;

    while (taken < count && offer_lane_locked(ready, &span[taken]))
        taken++;
    ready->waiting += taken;
    return taken;
}

static enum weir_status offer_lanes_locked(struct ready *ready,
                                           struct mail_list *spans)
{
    struct mail *mail = mail_list_pop(spans);

    while (mail) {
        struct weir_message *span = message_of(mail);
        const uint32_t count = mail->count;
        const uint32_t taken = offer_span_locked(ready, span, count);

        if (taken < count) {
            /* A slot that found a lane was made a letter of its own. */
            span[taken].mail = (struct mail){.count = count - taken};
            mail_list_push(spans, &span[taken].mail);
            return WEIR_RETRY;
        }
        mail = mail_list_pop(spans);
    }
    return WEIR_OK;
}

enum weir_status ready_offer(struct ready *ready, struct mail_list *spans)
{
    enum weir_status status = WEIR_OK;

    (void)pthread_mutex_lock(&ready->lock);
    if (ready->is_ordered) {
        status = offer_lanes_locked(ready, spans);
    } else {
        ready->waiting += spans->count;
        mail_list_join(&ready->spans, spans);
    }
    if (ready->asleep > 0)
        (void)pthread_cond_signal(&ready->work);
    (void)pthread_mutex_unlock(&ready->lock);
    return status;
}

void ready_want_room(struct ready *ready, unsigned home)
{
    /* Partner: the exchange in wake_producers(). */
    atomic_store_explicit(&ready->is_wanted[home], true, memory_order_seq_cst);
}

/* Without the lock: a mailbox has its own. */
static void wake_producers(struct ready *ready)
{
    for (unsigned i = 0; i < ready->run->home_count; i++) {
        if (atomic_load_explicit(&ready->is_wanted[i], memory_order_relaxed) &&
            atomic_exchange_explicit(&ready->is_wanted[i], false,
                                     memory_order_seq_cst))
            mailbox_interrupt(ready->run->homes[i]);
    }
}

struct sift {
    bool (*wants)(const struct weir_message *, const void *opaque);
    const void *opaque;
    struct mail_list *to;
};

/* Counts what was taken out as no longer waiting. */
static void taken_out_locked(struct ready *ready, struct mail_list *taken,
                             struct mail_list *to)
{
    ready->waiting -= taken->count;
    count_list_locked(ready, taken, -1);
    mail_list_join(to, taken);
}

/* What stays is pushed into the same memory, which has room for it. */
static void sift_retries_locked(struct ready *ready, const struct sift *sift)
{
    struct heap *heap = &ready->retries;
    const size_t count = heap->count;

    heap->count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct heap_entry entry = heap->entries[i];
        struct weir_message *msg = entry.item;
        enum weir_status status = WEIR_OK;

        if (sift->wants(msg, sift->opaque)) {
            ready->delayed--;
            mail_list_add(sift->to, &msg->mail);
        } else {
            status = heap_push(heap, entry.due_us, msg);
        }
        INVARIANT(status == WEIR_OK);
    }
}

void ready_sift(struct ready *ready,
                bool (*wants)(const struct weir_message *, const void *opaque),
                const void *opaque, struct mail_list *to)
{
    const struct sift sift = {.wants = wants, .opaque = opaque, .to = to};
    struct mail_list taken;

    mail_list_init(&taken);
    (void)pthread_mutex_lock(&ready->lock);
    for (struct hand *hand = ready->hands.first; hand; hand = hand->next)
        take_back_locked(ready, hand);
    span_sift(&ready->spans, wants, opaque, &taken);
    for (struct lane *lane = lanes_next(&ready->lanes, NULL); lane;
         lane = lanes_next(&ready->lanes, lane))
        lane_sift(lane, wants, opaque, &taken);
    taken_out_locked(ready, &taken, to);
    sift_retries_locked(ready, &sift);
    (void)pthread_mutex_unlock(&ready->lock);
    wake_producers(ready);
}

static bool wants_all(const struct weir_message *msg, const void *opaque)
{
    (void)msg;
    (void)opaque;
    return true;
}

void ready_abandon_backoff(struct ready *ready, struct mail_list *to)
{
    const struct sift sift = {.wants = wants_all, .to = to};
    struct mail_list taken;

    mail_list_init(&taken);
    (void)pthread_mutex_lock(&ready->lock);
    ready->is_hurried = true;
    for (struct lane *lane = lanes_next(&ready->lanes, NULL); lane;
         lane = lanes_next(&ready->lanes, lane)) {
        if (lane->state != LANE_HELD)
            continue;
        lane->is_abandoned = true;
        lane_sift(lane, wants_all, NULL, &taken);
    }
    taken_out_locked(ready, &taken, to);
    sift_retries_locked(ready, &sift);
    (void)pthread_mutex_unlock(&ready->lock);
}

/* ---- the workers' side ---- */

static void take_spans_locked(struct ready *ready, struct hand *hand,
                              uint32_t limit)
{
    uint32_t share = (ready->waiting + ready->workers - 1) / ready->workers;

    share = share > ready->quick ? share : ready->quick;
    share = share < limit ? share : limit;
    while (hand->count < share && ready->spans.head) {
        struct weir_message *span = message_of(mail_list_pop(&ready->spans));
        struct weir_message *rest = span_split(span, share - hand->count);

        if (rest)
            mail_list_push(&ready->spans, &rest->mail);
        for (uint32_t i = 0; i < span->mail.count; i++)
            hand->messages[hand->count++] = &span[i];
    }
}

static void take_lane_locked(struct ready *ready, struct hand *hand,
                             uint32_t limit)
{
    struct lane *lane = lane_queue_pop(&ready->queue);

    if (!lane)
        return;
    if (!lane->messages.head) {
        rest_lane_locked(ready, lane); /* emptied by a sift */
        return;
    }
    lane->state = LANE_RUNNING;
    hand->lane = lane;
    hand->is_abandoned = lane->is_abandoned;
    while (hand->count < limit && lane->messages.head)
        hand->messages[hand->count++] =
            message_of(mail_list_pop(&lane->messages));
}

static void take_locked(struct ready *ready, struct hand *hand, uint32_t limit)
{
    limit = limit < ready->chunk ? limit : ready->chunk;
    if (ready->spans.head)
        take_spans_locked(ready, hand, limit);
    else if (ready->is_ordered)
        take_lane_locked(ready, hand, limit);
    for (uint32_t i = 0; i < hand->count; i++)
        count_waiting_locked(ready, hand->messages[i], -1);
    ready->waiting -= hand->count;
    hands_add(&ready->hands, hand);
}

static bool has_work_locked(const struct ready *ready)
{
    return ready->spans.head || ready->queue.first;
}

static void sleep_locked(struct ready *ready, int64_t deadline_us)
{
    const int64_t retry = heap_due_us(&ready->retries);
    const int64_t held = heap_due_us(&ready->held);
    const int64_t look = hands_look_us(&ready->hands);
    const unsigned scouts = look < CLOCK_NEVER_US ? 1 : 0;
    const uint64_t taken = ready->hands.taken;
    struct timespec until;

    deadline_us = retry < deadline_us ? retry : deadline_us;
    deadline_us = held < deadline_us ? held : deadline_us;
    deadline_us = look < deadline_us ? look : deadline_us;
    until = clock_timespec(deadline_us);
    ready->asleep++;
    ready->scouts += scouts;
    (void)pthread_cond_timedwait(&ready->work, &ready->lock, &until);
    ready->scouts -= scouts;
    ready->asleep--;
    if (ready->hands.taken == taken)
        ready->hands.quiet = taken;
}

/* What came due, or, for a worker that has nothing to do, back. */
static void look_again_locked(struct ready *ready)
{
    struct mail_list back;

    if (ready->retries.count + ready->held.count > 0)
        due_locked(ready, clock_now_us());
    if (has_work_locked(ready))
        return;
    mail_list_init(&back);
    hands_take_back_stale(&ready->hands, &back);
    put_back_locked(ready, &ready->spans, &back);
}

/* Somebody asleep is needed: there is more to do, or nobody looks after the
 * hands that may become stale. */
static bool is_worth_waking_locked(const struct ready *ready)
{
    return ready->asleep > 0 &&
           (has_work_locked(ready) ||
            (ready->scouts == 0 &&
             hands_stale_us(&ready->hands) < CLOCK_NEVER_US));
}

bool ready_take(struct ready *ready, struct hand *hand, uint32_t limit,
                int64_t deadline_us)
{
    bool is_over;

    *hand = (struct hand){0};
    (void)pthread_mutex_lock(&ready->lock);
    look_again_locked(ready);
    if (!has_work_locked(ready) && !ready->is_closed) {
        sleep_locked(ready, deadline_us);
        look_again_locked(ready);
    }
    take_locked(ready, hand, limit);
    if (is_worth_waking_locked(ready))
        (void)pthread_cond_signal(&ready->work);
    is_over = ready->is_closed && hand->count == 0 && ready->waiting == 0;
    (void)pthread_mutex_unlock(&ready->lock);
    return !is_over;
}

/* Its first message would have to wait, and there is no time. */
static void give_up_lane_locked(struct ready *ready, struct lane *lane,
                                struct mail_list *back)
{
    struct mail_list behind;

    mail_list_init(&behind);
    mail_list_join(&behind, &lane->messages);
    taken_out_locked(ready, &behind, back);
    lane->is_abandoned = true;
}

void ready_finish(struct ready *ready, struct hand *hand,
                  struct mail_list *back, int64_t due_us)
{
    struct lane *lane = hand->lane;
    bool is_low;

    (void)pthread_mutex_lock(&ready->lock);
    ready->quick = hand->quick;
    hands_remove(&ready->hands, hand);
    if (lane && due_us > 0 && ready->is_hurried) {
        give_up_lane_locked(ready, lane, back);
        due_us = 0;
    } else if (lane && back->head) {
        put_back_locked(ready, &lane->messages, back);
    }
    if (lane && due_us > 0) {
        lane->state = LANE_HELD;
        if (heap_push(&ready->held, due_us, lane) != WEIR_OK)
            rest_lane_locked(ready, lane); /* no memory to wait: now */
    } else if (lane) {
        rest_lane_locked(ready, lane);
    }
    /* Also to sleep no longer than until the lane is due. */
    if ((has_work_locked(ready) || due_us > 0) && ready->asleep > 0)
        (void)pthread_cond_signal(&ready->work);
    is_low = ready->waiting + ready->hands.count <= ready->low;
    (void)pthread_mutex_unlock(&ready->lock);
    if (is_low || ready->is_ordered)
        wake_producers(ready);
}

void ready_abandon_lane(struct ready *ready, struct hand *hand)
{
    if (!hand->lane)
        return;
    (void)pthread_mutex_lock(&ready->lock);
    hand->lane->is_abandoned = true;
    (void)pthread_mutex_unlock(&ready->lock);
}

bool ready_delay(struct ready *ready, struct weir_message *msg, int64_t due_us)
{
    msg->mail.count = 1;
    msg->mail.size = msg->record->size;
    (void)pthread_mutex_lock(&ready->lock);
    if (ready->is_hurried) {
        (void)pthread_mutex_unlock(&ready->lock);
        return false;
    }
    if (heap_push(&ready->retries, due_us, msg) == WEIR_OK) {
        ready->delayed++;
    } else { /* no memory to wait: it is due now */
        ready->waiting++;
        count_waiting_locked(ready, msg, 1);
        mail_list_add(&ready->spans, &msg->mail);
    }
    if (ready->asleep > 0)
        (void)pthread_cond_signal(&ready->work); /* to sleep no longer */
    (void)pthread_mutex_unlock(&ready->lock);
    return true;
}

void ready_close(struct ready *ready)
{
    (void)pthread_mutex_lock(&ready->lock);
    ready->is_closed = true;
    (void)pthread_cond_broadcast(&ready->work);
    (void)pthread_mutex_unlock(&ready->lock);
}

void ready_look(struct ready *ready, struct ready_view *ret_view)
{
    (void)pthread_mutex_lock(&ready->lock);
    *ret_view = (struct ready_view){
        .waiting = ready->waiting,
        .delayed = ready->delayed,
        .held_lanes = (uint32_t)ready->held.count,
        .in_hand = ready->hands.count,
        .asleep = ready->asleep,
    };
    (void)pthread_mutex_unlock(&ready->lock);
}
