/*
 * epoch.c - <weir/intake.h>: epochs of sources begin, drain and end.
 *
 * Half of the guarantees rest on this.  A message belongs to one epoch of its
 * source: one assignment of a partition, one channel's hold on a queue.  When
 * the epoch ends, nothing of it may reach the broker any more: another member
 * may own the partition, a delivery tag means another message.
 *
 *     LIVE ----------------> ENDED      lost, link cut: fence at once
 *       |                      ^
 *       +----> DRAINING -------+        revoked: what was begun may finish
 *
 * Messages that no callback has begun leave the ready queue here, the open
 * batches and the sinks' mailboxes when their batcher is poked; all count as
 * abandoned.  What a callback or a sink has in hand stays in flight until it
 * comes back, and is fenced then: see intake.c.
 *
 * Threads: the producer's; `state` is read by all.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "epoch.h"
#include "hash.h"
#include "invariant.h"

enum { TICK_US = 100 * 1000 };

static struct origin *find_origin(struct weir_intake *intake,
                                  const struct weir_origin *from)
{
    struct origin *origin = intake->origins;

    while (origin && (origin->partition != from->partition ||
                      strcmp(origin->topic, from->topic) != 0))
        origin = origin->next;
    return origin;
}

static struct origin *make_origin(struct weir_intake *intake,
                                  const struct weir_origin *from)
{
    struct origin *origin = find_origin(intake, from);

    if (origin)
        return origin;
    origin = calloc(1, sizeof *origin);
    if (!origin)
        return NULL;
    origin->topic = strdup(from->topic);
    if (!origin->topic) {
        free(origin);
        return NULL;
    }
    origin->partition = from->partition;
    origin->hash = hash_bytes(from->topic, strlen(from->topic),
                              (uint64_t)(uint32_t)from->partition);
    origin->next = intake->origins;
    intake->origins = origin;
    return origin;
}

/* Room for `source` in the table. */
static bool reserve(struct weir_intake *intake, uint32_t source)
{
    const uint32_t capacity = source + 16;
    struct epoch **epochs;

    if (source < intake->epoch_capacity)
        return true;
    epochs = realloc(intake->epochs, capacity * sizeof *epochs);
    if (!epochs)
        return false;
    for (uint32_t i = intake->epoch_capacity; i < capacity; i++)
        epochs[i] = NULL;
    intake->epochs = epochs;
    intake->epoch_capacity = capacity;
    return true;
}

struct epoch *epoch_find(const struct weir_intake *intake, uint32_t source)
{
    return source < intake->epoch_capacity ? intake->epochs[source] : NULL;
}

enum weir_status weir_intake_begin(struct weir_intake *intake, uint32_t source,
                                   const struct weir_origin *origin)
{
    struct origin *from;
    struct epoch *epoch;

    if (!reserve(intake, source))
        return WEIR_RETRY;
    INVARIANT(!intake->epochs[source]); /* the last epoch was ended */
    epoch = calloc(1, sizeof *epoch);
    if (!epoch)
        return WEIR_RETRY;
    epoch->source = source;
    from = make_origin(intake, origin);
    if (!from) {
        free(epoch);
        return WEIR_RETRY;
    }
    from->epochs++;
    epoch->origin = from;
    epoch->newest_ms = -1;
    atomic_store_explicit(&epoch->lag, -1, memory_order_relaxed);
    intake->epochs[source] = epoch;
    intake->live++;
    intake->has_begun = true;
    return WEIR_OK;
}

static bool is_of_epoch(const struct weir_message *msg, const void *opaque)
{
    return msg->epoch == opaque;
}

/* What no worker has begun ends here as left. */
static void abandon_waiting(struct weir_intake *intake, struct epoch *epoch)
{
    struct mail_list taken;

    mail_list_init(&taken);
    intake_flush(intake);
    span_sift(&intake->unsent, is_of_epoch, epoch, &taken);
    ready_sift(intake->ready, is_of_epoch, epoch, &taken);
    intake_book_left(intake, &taken);
}

static void set_state(struct weir_intake *intake, struct epoch *epoch,
                      enum epoch_state state)
{
    /* Partner: epoch_state() in whoever has messages of this epoch. */
    atomic_store_explicit(&epoch->state, (int)state, memory_order_release);
    intake->run->poke(intake->run->poke_opaque);
}

/* Looked at every TICK_US: nobody says when it changes. */
static bool is_worth_waiting(const struct run *run)
{
    return !run_is_destination_down(run) && !run_is_aborting(run);
}

enum weir_status weir_intake_await(struct weir_intake *intake, uint32_t source,
                                   int64_t deadline_us)
{
    struct epoch *epoch = epoch_find(intake, source);
    struct weir_error ignored;

    if (!epoch)
        return WEIR_OK;
    set_state(intake, epoch, EPOCH_DRAINING);
    abandon_waiting(intake, epoch);
    intake_tell(intake); /* before another epoch of this source begins */
    while (epoch->open > 0 && clock_now_us() < deadline_us &&
           is_worth_waiting(intake->run)) {
        const int64_t tick = clock_after_us(TICK_US);

        survey_publish(intake);
        mailbox_wait(&intake->box, &intake->plain_waiter, 1,
                     tick < deadline_us ? tick : deadline_us);
        if (intake_serve(intake, &ignored) != WEIR_OK)
            break; /* remembered, and answered after this pull() */
    }
    return epoch->open == 0 ? WEIR_OK : WEIR_AGAIN;
}

void epoch_free_if_over(struct weir_intake *intake, struct epoch *epoch)
{
    struct epoch **at = &intake->ended;

    if (epoch_state(epoch) != EPOCH_ENDED || epoch->open > 0 ||
        atomic_load_explicit(&epoch->ghosts, memory_order_acquire) > 0)
        return;
    while (*at && *at != epoch)
        at = &(*at)->next;
    if (!*at)
        return; /* still being ended */
    *at = epoch->next;
    free(epoch);
}

void weir_intake_end(struct weir_intake *intake, uint32_t source)
{
    struct epoch *epoch = epoch_find(intake, source);

    if (!epoch)
        return;
    weir_intake_set_lag(intake, source, -1);
    if (epoch->is_held)
        intake->held--;
    set_state(intake, epoch, EPOCH_ENDED);
    abandon_waiting(intake, epoch);
    intake->epochs[source] = NULL;
    intake->live--;
    intake->survey.due_us = 0; /* nobody is to see it any more */
    epoch->next = intake->ended;
    intake->ended = epoch;
    epoch_free_if_over(intake, epoch);
}

void intake_end_all(struct weir_intake *intake)
{
    for (uint32_t i = 0; i < intake->epoch_capacity; i++)
        weir_intake_end(intake, i);
    survey_publish(intake);
    intake->settlement_count = 0;
    intake->settle_status = WEIR_OK;
}

void weir_intake_set_impediment(struct weir_intake *intake, const char *why)
{
    atomic_store_explicit(&intake->impediment, why, memory_order_relaxed);
}

void weir_intake_set_lag(struct weir_intake *intake, uint32_t source,
                         int64_t lag)
{
    struct epoch *epoch = epoch_find(intake, source);
    int64_t old;

    if (!epoch)
        return;
    old = atomic_exchange_explicit(&epoch->lag, lag, memory_order_relaxed);
    atomic_fetch_add_explicit(&intake->lag,
                              (lag > 0 ? lag : 0) - (old > 0 ? old : 0),
                              memory_order_relaxed);
    if (lag >= 0)
        atomic_store_explicit(&intake->has_lag, true, memory_order_relaxed);
}

void weir_intake_set_starved(struct weir_intake *intake, uint32_t source)
{
    struct epoch *epoch = epoch_find(intake, source);

    if (!epoch ||
        atomic_load_explicit(&epoch->is_starved, memory_order_relaxed))
        return;
    atomic_store_explicit(&epoch->is_starved, true, memory_order_release);
    intake->run->poke(intake->run->poke_opaque);
}

void weir_intake_count_gap(struct weir_intake *intake, uint64_t missing)
{
    counter_add(&intake->run->counters.gaps, missing);
}
