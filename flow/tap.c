/*
 * tap.c - a sample of the messages that end, for people.
 *
 *     workers --- outcome asked for? --- rate? --- lock free? ---> front ring
 *                      | no               | no         | no            |
 *                      v                  v            v           exchanged
 *                   nothing            left out     left out           |
 *                                                       the reader's ring
 *
 * A tap must cost nothing while nobody looks, and little while somebody does.
 * So a worker reads one word per message; it never waits (it tries the lock,
 * and leaves the message out where the reader, or another worker, has it), and
 * it allocates nothing: two rings are made when a tap begins.  What is left out
 * is counted by each worker alone and told once per flush, since a counter that
 * all of them write would cost more than the sample.
 *
 * The rate is a bucket of one second, in one word: the time up to which it is
 * used up.  So a batch that ends at once is seen whole where the rate allows
 * as many in a second.
 *
 * A tap ends by itself: whoever stops asking has gone away, and the next worker
 * that would give it something closes it instead.
 *
 * Why not a stream that the reader holds open: it would keep a connection, and
 * a thread or a buffer for it, as long as a slow client likes.
 *
 * Threads: tap_note() any; the reader's functions one, the admin's.
 */
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "message.h"

enum { TEXT_SIZE = TAP_KEY_SIZE + TAP_PAYLOAD_SIZE };

void tap_init(struct tap *tap)
{
    *tap = (struct tap){.last_id = (uint64_t)clock_wall_ms()};
    for (unsigned i = 0; i < TAP_PLACES; i++)
        (void)pthread_mutex_init(&tap->places[i].lock, NULL);
}

static void free_rings(struct tap_place *place)
{
    for (unsigned i = 0; i < 2; i++) {
        free(place->rings[i].entries);
        free(place->rings[i].texts);
        place->rings[i] = (struct tap_ring){.count = 0};
    }
}

void tap_finish(struct tap *tap)
{
    for (unsigned i = 0; i < TAP_PLACES; i++) {
        free_rings(&tap->places[i]);
        (void)pthread_mutex_destroy(&tap->places[i].lock);
    }
}

/* ---- a worker's side ---- */

/* False: the rate is used up. */
static bool take_turn(struct tap_place *place, int64_t now_us)
{
    const int64_t interval_us =
        atomic_load_explicit(&place->interval_us, memory_order_relaxed);
    int64_t allowed_us =
        atomic_load_explicit(&place->allowed_us, memory_order_relaxed);

    if (allowed_us + interval_us > now_us + CLOCK_SECOND_US)
        return false;
    /* Who loses against another worker leaves out one message more. */
    return atomic_compare_exchange_strong_explicit(
        &place->allowed_us, &allowed_us,
        (allowed_us > now_us ? allowed_us : now_us) + interval_us,
        memory_order_relaxed, memory_order_relaxed);
}

static struct tap_bytes keep(char *to, size_t room, struct weir_bytes bytes)
{
    const size_t kept = bytes.size < room ? bytes.size : room;

    if (!bytes.data)
        return (struct tap_bytes){.data = NULL};
    memcpy(to, bytes.data, kept);
    return (struct tap_bytes){
        .data = to, .size = (uint32_t)bytes.size, .kept = (uint32_t)kept};
}

static void write_reason(const struct tap_look *look, char *out, size_t size)
{
    const struct weir_message *msg = look->msg;
    char note[NOTE_SIZE] = "";
    const char *why = look->why ? look->why : msg->reason;

    if (!why && look->outcome != TAP_DONE && message_is_alone(msg)) {
        note_read(&msg->chunk->why, note);
        why = note;
    }
    (void)snprintf(out, size, "%s", why ? why : "");
}

static void write_entry(struct tap_ring *ring, const struct tap_look *look)
{
    const struct weir_message *msg = look->msg;
    const struct weir_bytes payload = record_payload(msg->record);
    struct tap_entry *entry = &ring->entries[ring->count];

    *entry = (struct tap_entry){
        .wall_ms = clock_wall_ms(),
        .origin = msg->epoch->origin,
        .position = msg->record->offset >= 0 ? msg->record->offset
                                             : (int64_t)msg->ticket,
        .latency_us = look->now_us - msg->taken_us,
        .outcome = look->outcome,
        .code = (enum reject_reason)msg->code,
        .batcher = look->batcher,
        .attempts = msg->attempt,
        .deliveries = msg->is_delivering ? msg->deliveries : 0,
        .size = msg->record->is_omitted ? msg->record->omitted : payload.size,
    };
    write_reason(look, entry->reason, sizeof entry->reason);
    if (ring->texts) {
        char *text = ring->texts + ring->count * TEXT_SIZE;

        entry->key = keep(text, TAP_KEY_SIZE, record_key(msg->record));
        entry->payload = keep(text + TAP_KEY_SIZE, TAP_PAYLOAD_SIZE, payload);
    }
    ring->count++;
}

/* False: left out. */
static bool put(struct tap_place *place, const struct tap_look *look)
{
    struct tap_ring *ring;
    bool is_kept = false;

    if (pthread_mutex_trylock(&place->lock) != 0)
        return false;
    ring = &place->rings[place->front];
    /* It may be another one's by now. */
    if ((place->wish.outcomes & (1U << look->outcome)) != 0 &&
        ring->count < TAP_ROOM) {
        write_entry(ring, look);
        is_kept = true;
    }
    (void)pthread_mutex_unlock(&place->lock);
    return is_kept;
}

void tap_note(struct tap *tap, const struct tap_look *look,
              struct tap_rest *rest)
{
    /* Partner: tap_ask(). */
    const unsigned open =
        atomic_load_explicit(&tap->open, memory_order_acquire);

    for (unsigned i = 0; i < TAP_PLACES; i++) {
        struct tap_place *place = &tap->places[i];

        if ((open & (1U << i)) == 0 ||
            (atomic_load_explicit(&place->outcomes, memory_order_relaxed) &
             (1U << look->outcome)) == 0)
            continue;
        if (look->now_us >
            atomic_load_explicit(&place->until_us, memory_order_relaxed)) {
            atomic_fetch_and_explicit(&tap->open, ~(1U << i),
                                      memory_order_relaxed);
        } else if (!take_turn(place, look->now_us) || !put(place, look)) {
            rest->left_out[i]++;
            rest->is_some = true;
        }
    }
}

void tap_tell_rest(struct tap *tap, struct tap_rest *rest)
{
    for (unsigned i = 0; i < TAP_PLACES; i++)
        atomic_fetch_add_explicit(&tap->places[i].left_out, rest->left_out[i],
                                  memory_order_relaxed);
    *rest = (struct tap_rest){.is_some = false};
}

/* ---- the reader's side ---- */

static struct tap_place *find(struct tap *tap, uint64_t id)
{
    for (unsigned i = 0; i < TAP_PLACES; i++) {
        if (id != 0 && tap->places[i].id == id)
            return &tap->places[i];
    }
    return NULL;
}

/* Where nobody asked for longest; NULL: all of them are in use. */
static struct tap_place *find_free(struct tap *tap, int64_t now_us)
{
    struct tap_place *place = tap->places;

    for (unsigned i = 1; i < TAP_PLACES; i++) {
        if (tap->places[i].asked_us < place->asked_us)
            place = &tap->places[i];
    }
    return place->id == 0 || now_us - place->asked_us > TAP_IDLE_US ? place
                                                                    : NULL;
}

static bool make_rings(bool has_payload, struct tap_ring rings[2])
{
    bool is_made = true;

    for (unsigned i = 0; i < 2; i++) {
        rings[i] = (struct tap_ring){
            .entries = calloc(TAP_ROOM, sizeof *rings[i].entries),
            .texts = has_payload ? malloc((size_t)TAP_ROOM * TEXT_SIZE) : NULL};
        is_made =
            is_made && rings[i].entries && (!has_payload || rings[i].texts);
    }
    return is_made;
}

static void take_over(struct tap *tap, struct tap_place *place,
                      const struct tap_wish *wish, struct tap_ring rings[2])
{
    struct tap_ring old[2];

    (void)pthread_mutex_lock(&place->lock);
    memcpy(old, place->rings, sizeof old);
    memcpy(place->rings, rings, sizeof old);
    memcpy(rings, old, sizeof old); /* the caller frees them */
    place->wish = *wish;
    place->front = 0;
    (void)pthread_mutex_unlock(&place->lock);
    place->id = ++tap->last_id;
    atomic_store_explicit(&place->outcomes, wish->outcomes,
                          memory_order_relaxed);
    atomic_store_explicit(&place->interval_us, CLOCK_SECOND_US / wish->rate,
                          memory_order_relaxed);
    atomic_store_explicit(&place->allowed_us, 0, memory_order_relaxed);
    atomic_store_explicit(&place->left_out, 0, memory_order_relaxed);
}

static enum weir_status begin(struct tap *tap, const struct tap_wish *wish,
                              int64_t now_us, struct tap_place **ret_place)
{
    struct tap_place *place = find_free(tap, now_us);
    struct tap_ring rings[2];
    bool is_made;

    if (!place)
        return WEIR_AGAIN;
    is_made = make_rings(wish->has_payload, rings);
    if (is_made)
        take_over(tap, place, wish, rings);
    for (unsigned i = 0; i < 2; i++) {
        free(rings[i].entries);
        free(rings[i].texts);
    }
    *ret_place = place;
    return is_made ? WEIR_OK : WEIR_RETRY;
}

static bool is_same(const struct tap_wish *one, const struct tap_wish *other)
{
    return one->outcomes == other->outcomes && one->rate == other->rate &&
           one->has_payload == other->has_payload;
}

enum weir_status tap_ask(struct tap *tap, uint64_t id,
                         const struct tap_wish *wish, int64_t now_us,
                         uint64_t *ret_id)
{
    struct tap_place *place = find(tap, id);
    enum weir_status status = WEIR_OK;

    if (!place || !is_same(&place->wish, wish))
        status = begin(tap, wish, now_us, &place);
    if (status != WEIR_OK)
        return status;
    place->asked_us = now_us;
    atomic_store_explicit(&place->until_us, now_us + TAP_LEASE_US,
                          memory_order_relaxed);
    /* Partner: tap_note(), which finds what the place wants. */
    atomic_fetch_or_explicit(&tap->open, 1U << (place - tap->places),
                             memory_order_release);
    *ret_id = place->id;
    return WEIR_OK;
}

const struct tap_ring *tap_take(struct tap *tap, uint64_t id,
                                uint64_t *ret_left_out)
{
    static const struct tap_ring none = {.count = 0};
    struct tap_place *place = find(tap, id);
    unsigned full;

    *ret_left_out = 0;
    if (!place)
        return &none;
    (void)pthread_mutex_lock(&place->lock);
    full = place->front;
    place->front = 1 - full;
    place->rings[place->front].count = 0;
    (void)pthread_mutex_unlock(&place->lock);
    *ret_left_out =
        atomic_exchange_explicit(&place->left_out, 0, memory_order_relaxed);
    return &place->rings[full];
}
