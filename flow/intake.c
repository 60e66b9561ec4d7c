/*
 * intake.c - what a producer took in and has not settled.
 *
 *     connector --add--> [open chunk] --flush--> ready queue ... stages ...
 *         ^                                                           |
 *         +--settle-- [runs of tickets] <--serve-- [returns mailbox] <+
 *
 * A record is copied into the open chunk when it is offered, so that the
 * client's buffer is free at once.  The chunk leaves span by span; it is used
 * again when all its slots came back.  Full chunks leave by fours, or at the
 * end of a pull(): waking a worker for each costs more than what it does there.
 *
 * The ledger is kept here, because here every message begins and ends:
 * `received` counts what was added, the three ends count what came back, and
 * `in_flight` counts open tickets.  A message of an ended epoch counts as
 * abandoned, however it ended: the broker gives it to somebody again.
 *
 * Memory: a new chunk needs room in the budget; where there is none the record
 * is refused until something came back.  One source may hold a quarter of the
 * budget unless it is alone.
 *
 * Threads: the producer's.  Others put into `box` and read `ledger`.
 */
#include "intake.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "epoch.h"
#include "invariant.h"
#include "lane_key.h"
#include "span.h"

enum {
    CLOCK_MESSAGES = 32, /* to look for each would cost more than to count it */
    MAX_FREE_CHUNKS = 128,
    LARGE_RECORD = CHUNK_BYTES / 4,
    SEND_AT = 4 * CHUNK_SLOTS
};

void intake_init(struct weir_intake *intake, struct run *run,
                 struct ready *ready, unsigned home,
                 void (*waiter_wake)(void *opaque), void *opaque)
{
    *intake = (struct weir_intake){.run = run, .ready = ready, .home = home};
    mailbox_init(&intake->box, 0, 0, 0);
    waiter_init(&intake->waiter, waiter_wake, opaque);
    waiter_init(&intake->plain_waiter, NULL, NULL);
    mail_list_init(&intake->unsent);
    (void)pthread_mutex_init(&intake->published_lock, NULL);
    survey_init(&intake->survey);
    run->homes[home] = &intake->box;
}

static void free_epochs(struct weir_intake *intake)
{
    while (intake->ended) {
        struct epoch *epoch = intake->ended;

        intake->ended = epoch->next;
        free(epoch);
    }
    while (intake->origins) {
        struct origin *origin = intake->origins;

        intake->origins = origin->next;
        free(origin->topic);
        free(origin);
    }
    free(intake->epochs);
}

static void drop_free_chunk(struct weir_intake *intake)
{
    struct chunk *chunk = intake->free_chunks;

    intake->free_chunks = chunk->next;
    intake->free_count--;
    chunk_destroy(intake->run, chunk);
}

void intake_finish(struct weir_intake *intake)
{
    while (intake->free_chunks)
        drop_free_chunk(intake);
    if (intake->chunk && intake->chunk->returned == intake->chunk->count)
        chunk_destroy(intake->run, intake->chunk);
    free_epochs(intake);
    survey_finish(&intake->survey);
    mailbox_finish(&intake->box);
    waiter_finish(&intake->waiter);
    waiter_finish(&intake->plain_waiter);
    (void)pthread_mutex_destroy(&intake->published_lock);
}

/* All five at once, so that whoever reads them sees them balance. */
static void publish(struct weir_intake *intake)
{
    (void)pthread_mutex_lock(&intake->published_lock);
    intake->published = intake->books;
    (void)pthread_mutex_unlock(&intake->published_lock);
}

void intake_ledger(struct weir_intake *intake, struct weir_ledger *ret_ledger)
{
    (void)pthread_mutex_lock(&intake->published_lock);
    *ret_ledger = intake->published;
    (void)pthread_mutex_unlock(&intake->published_lock);
}

/* ---- chunks ---- */

static void recycle(struct weir_intake *intake, struct chunk *chunk)
{
    live_remove(&intake->on_the_way, chunk);
    if (chunk->slots != CHUNK_SLOTS || intake->free_count >= MAX_FREE_CHUNKS ||
        !budget_has_room(&intake->run->budget, 0)) {
        chunk_destroy(intake->run, chunk);
        return;
    }
    chunk->count = 0;
    chunk->returned = 0;
    chunk->used = 0;
    chunk->is_closed = false;
    chunk->next = intake->free_chunks;
    intake->free_chunks = chunk;
    intake->free_count++;
}

/* What the open chunk has is to be sent. */
static void collect(struct weir_intake *intake)
{
    struct chunk *chunk = intake->chunk;
    struct weir_message *first;

    if (!chunk || chunk->count == intake->sent)
        return;
    first = &chunk->messages[intake->sent];
    first->mail.count = chunk->count - intake->sent;
    first->mail.size = 0;
    for (uint32_t i = intake->sent; i < chunk->count; i++)
        first->mail.size += chunk->messages[i].record->size;
    mail_list_add(&intake->unsent, &first->mail);
    intake->sent = chunk->count;
}

static void send(struct weir_intake *intake)
{
    if (!intake->unsent.head)
        return;
    if (ready_offer(intake->ready, &intake->unsent) != WEIR_OK)
        intake->is_full = true; /* no memory: again at the next flush */
    intake->round++;
}

void intake_flush(struct weir_intake *intake)
{
    collect(intake);
    send(intake);
}

static void close_chunk(struct weir_intake *intake)
{
    struct chunk *chunk = intake->chunk;

    if (!chunk)
        return;
    collect(intake);
    if (intake->unsent.count >= SEND_AT)
        send(intake);
    chunk->is_closed = true;
    intake->chunk = NULL;
    if (chunk->returned == chunk->count)
        recycle(intake, chunk);
}

static struct chunk *new_chunk(struct weir_intake *intake, uint32_t slots,
                               size_t capacity)
{
    struct chunk *chunk = intake->free_chunks;

    if (slots == CHUNK_SLOTS && chunk) {
        intake->free_chunks = chunk->next;
        intake->free_count--;
        return chunk;
    }
    while (intake->free_chunks &&
           !budget_has_room(&intake->run->budget, capacity))
        drop_free_chunk(intake);
    /* Something must always be able to move, however small the budget. */
    if (!budget_has_room(&intake->run->budget, capacity) &&
        intake->books.in_flight > 0) {
        intake->is_full = true;
        return NULL;
    }
    return chunk_create(intake->run, intake->home, slots, capacity);
}

static struct weir_message *place(struct weir_intake *intake,
                                  const struct weir_record *record, size_t size)
{
    const bool is_large = size > LARGE_RECORD;
    struct weir_message *msg = NULL;

    if (intake->chunk && !is_large)
        msg = chunk_add(intake->chunk, record, size);
    if (msg)
        return msg;
    close_chunk(intake);
    intake->chunk = is_large ? new_chunk(intake, 1, size)
                             : new_chunk(intake, CHUNK_SLOTS, CHUNK_BYTES);
    intake->sent = 0;
    if (intake->chunk)
        live_add(&intake->on_the_way, intake->chunk);
    return intake->chunk ? chunk_add(intake->chunk, record, size) : NULL;
}

/* ---- taking in ---- */

static bool wants_hold(const struct weir_intake *intake,
                       const struct epoch *epoch)
{
    const uint32_t waiting =
        atomic_load_explicit(&epoch->waiting, memory_order_relaxed);
    const uint32_t unsent = epoch->round == intake->round ? epoch->unsent : 0;

    if (!intake->can_hold)
        return false;
    if (waiting + unsent >= ready_source_limit(intake->ready, intake->live))
        return true;
    return intake->live > 1 && epoch->size > intake->run->budget.limit / 4;
}

static size_t fields_size(const struct weir_header *fields, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += fields[i].name.size + fields[i].value.size;
    return size;
}

/* Without its headers, too, if no record can hold them. */
static struct weir_record without_payload(const struct weir_record *record)
{
    struct weir_record small = *record;

    small.omitted = record->omitted ? record->omitted : record->payload.size;
    small.payload = (struct weir_bytes){NULL, 0};
    if (record_size(&small) > 0)
        return small;
    small.omitted += fields_size(record->headers, record->header_count) +
                     fields_size(record->properties, record->property_count) +
                     1;
    small.header_count = 0;
    small.property_count = 0;
    if (record_size(&small) > 0)
        return small;
    small.omitted += small.key.size;
    small.key = (struct weir_bytes){NULL, 0};
    return small;
}

/* The one place where a ticket opens. */
static void book_new(struct weir_intake *intake, struct epoch *epoch,
                     size_t size)
{
    if (epoch->round != intake->round) {
        epoch->round = intake->round;
        epoch->unsent = 0;
    }
    epoch->unsent++;
    epoch->open++;
    epoch->size += size;
    intake->offered++;
    intake->offered_bytes += size;
    intake->books.received++;
    intake->books.in_flight++;
}

/* The clock is asked once in some messages; those of a pull are of one time. */
static void enter(struct weir_intake *intake, struct epoch *epoch,
                  struct weir_message *msg, const struct weir_record *record)
{
    if (intake->offered % CLOCK_MESSAGES == 0)
        intake->now_us = clock_now_us();
    msg->taken_us = intake->now_us;
    msg->epoch = epoch;
    msg->ticket = record->ticket;
    message_goes(intake->run, msg, (struct whereabouts){.where = WHERE_QUEUE});
    intake->chunk->open |= UINT64_C(1) << (msg - intake->chunk->messages);
    if (intake->run->ordering != WEIR_ORDERING_NONE)
        msg->lane = lane_key_of(intake, epoch, record);
    epoch->newest_ms = record->timestamp_ms;
    if (record->is_last)
        counter_add(&intake->run->counters.last_deliveries, 1);
    if (atomic_load_explicit(&epoch->is_starved, memory_order_relaxed))
        atomic_store_explicit(&epoch->is_starved, false, memory_order_relaxed);
}

enum weir_status weir_intake_add(struct weir_intake *intake, uint32_t source,
                                 const struct weir_record *record)
{
    struct epoch *epoch = epoch_find(intake, source);
    struct weir_record small;
    struct weir_message *msg;
    size_t size = record_size(record);

    INVARIANT(epoch); /* weir_intake_begin() comes first */
    if (intake->is_full)
        return WEIR_RETRY;
    if (record->omitted > 0 || size == 0 ||
        record->payload.size > intake->run->max_message_bytes) {
        small = without_payload(record);
        record = &small;
        size = record_size(record);
    }
    msg = place(intake, record, size);
    if (!msg)
        return WEIR_RETRY;
    enter(intake, epoch, msg, record);
    book_new(intake, epoch, size);
    if (intake->chunk->count == intake->chunk->slots)
        close_chunk(intake);
    if (!wants_hold(intake, epoch))
        return WEIR_OK;
    if (!epoch->is_held)
        intake->held++;
    epoch->is_held = true;
    return WEIR_HOLD;
}

static uint32_t parked(const struct weir_intake *intake)
{
    uint32_t count = 0;

    for (uint32_t i = 0; intake->held > 0 && i < intake->epoch_capacity; i++) {
        const struct epoch *epoch = intake->epochs[i];

        if (epoch && epoch->is_held)
            count +=
                atomic_load_explicit(&epoch->waiting, memory_order_relaxed);
    }
    return count;
}

/* No room for more before something is delivered. */
static void starve(struct weir_intake *intake)
{
    for (uint32_t i = 0; i < intake->epoch_capacity; i++)
        weir_intake_set_starved(intake, i);
}

uint32_t intake_demand(struct weir_intake *intake)
{
    intake->offered = 0;
    intake->offered_bytes = 0;
    if (intake->is_full && intake->books.in_flight > 0)
        starve(intake); /* a chunk was refused: nothing more comes */
    intake->is_full = false;
    if (intake->unsent.head)
        intake_flush(intake);
    if (!intake->free_chunks && intake->books.in_flight > 0 &&
        !budget_has_room(&intake->run->budget, 0)) {
        starve(intake);
        return 0;
    }
    if (intake->unsent.head)
        return 0;
    return ready_demand(intake->ready, intake->home, parked(intake));
}

void intake_hold(struct weir_intake *intake,
                 void (*hold)(void *self, uint32_t source))
{
    const bool has_company = intake->has_begun && intake->live > 1;

    intake->has_begun = false;
    for (uint32_t i = 0; has_company && i < intake->epoch_capacity; i++) {
        struct epoch *epoch = intake->epochs[i];

        if (!epoch || epoch->is_held || !wants_hold(intake, epoch))
            continue;
        epoch->is_held = true;
        intake->held++;
        hold(intake->self, i);
    }
}

void intake_release(struct weir_intake *intake,
                    void (*release)(void *self, uint32_t source))
{
    const uint32_t limit = ready_source_limit(intake->ready, intake->live) / 2;

    for (uint32_t i = 0; intake->held > 0 && i < intake->epoch_capacity; i++) {
        struct epoch *epoch = intake->epochs[i];

        if (!epoch || !epoch->is_held ||
            atomic_load_explicit(&epoch->waiting, memory_order_relaxed) >
                limit ||
            (intake->live > 1 && epoch->size > intake->run->budget.limit / 8))
            continue;
        epoch->is_held = false;
        intake->held--;
        release(intake->self, i);
    }
}

/* ---- what comes back ---- */

static const enum weir_outcome outcomes[ENDING_COUNT] = {
    [ENDING_DONE] = WEIR_OUTCOME_DONE,
    [ENDING_DROPPED] = WEIR_OUTCOME_DONE,
    [ENDING_DISCARDED] = WEIR_OUTCOME_DISCARD,
    [ENDING_REQUEUED] = WEIR_OUTCOME_REQUEUE,
    [ENDING_LEFT] = WEIR_OUTCOME_LEAVE,
};

void intake_tell(struct weir_intake *intake)
{
    if (intake->settlement_count > 0 && intake->settle_status == WEIR_OK)
        intake->settle_status =
            intake->settle(intake->self, intake->settlements,
                           intake->settlement_count, &intake->settle_error);
    intake->settlement_count = 0;
}

static void note_settlement(struct weir_intake *intake, uint32_t source,
                            enum weir_outcome outcome, uint64_t ticket)
{
    struct weir_settlement *last =
        intake->settlement_count > 0
            ? &intake->settlements[intake->settlement_count - 1]
            : NULL;

    if (last && last->source == source && last->outcome == outcome &&
        last->first + last->count == ticket) {
        last->count++;
        return;
    }
    if (intake->settlement_count == INTAKE_SETTLEMENTS)
        intake_tell(intake);
    intake->settlements[intake->settlement_count++] = (struct weir_settlement){
        .source = source, .outcome = outcome, .first = ticket, .count = 1};
}

static void count_ending(struct weir_intake *intake, enum ending ending)
{
    struct weir_ledger *books = &intake->books;

    switch (ending) {
    case ENDING_DONE:
        books->done++;
        break;
    case ENDING_DROPPED:
    case ENDING_DISCARDED:
        books->rejected++;
        break;
    default:
        books->abandoned++;
        break;
    }
}

/* The one place where a ticket closes. */
static void book(struct weir_intake *intake, struct weir_message *msg,
                 enum ending ending)
{
    struct epoch *epoch = msg->epoch;

    INVARIANT(epoch->open > 0);
    epoch->open--;
    epoch->size -= msg->record->size;
    intake->books.in_flight--;
    if (epoch_state(epoch) == EPOCH_ENDED) {
        count_ending(intake, ENDING_LEFT);
        if (ending != ENDING_LEFT)
            counter_add(&intake->run->counters.fenced, 1);
        epoch_free_if_over(intake, epoch);
        return;
    }
    count_ending(intake, ending);
    note_settlement(intake, epoch->source, outcomes[ending], msg->ticket);
}

static void free_slot(struct weir_intake *intake, struct weir_message *msg)
{
    struct chunk *chunk = msg->chunk;

    if (msg->is_ghost) {
        atomic_fetch_sub_explicit(&msg->epoch->ghosts, 1, memory_order_release);
        epoch_free_if_over(intake, msg->epoch);
    }
    if (msg->arena)
        arena_release(msg->arena, 1);
    chunk->returned++;
    chunk->open &= ~(UINT64_C(1) << (msg - chunk->messages));
    if (chunk->is_closed && chunk->returned == chunk->count)
        recycle(intake, chunk);
}

static void take_back(struct weir_intake *intake, struct weir_message *span,
                      uint32_t count)
{
    /* A chunk may be gone after its last slot: count first, slots after. */
    const enum ending ending = (enum ending)span->ending;

    for (uint32_t i = 0; i < count; i++) {
        if (ending != ENDING_MOVED)
            book(intake, &span[i], ending);
        free_slot(intake, &span[i]);
    }
}

void intake_book_left(struct weir_intake *intake, struct mail_list *spans)
{
    struct mail *mail = mail_list_pop(spans);

    live_adopt(&intake->on_the_way, &intake->run->born[intake->home]);
    while (mail) {
        struct weir_message *span = message_of(mail);
        const uint32_t count = mail->count;

        for (uint32_t i = 0; i < count; i++)
            span[i].ending =
                span[i].is_ghost ? ENDING_MOVED : (uint8_t)ENDING_LEFT;
        for (uint32_t i = 0; i < count; i++)
            take_back(intake, &span[i], 1);
        mail = mail_list_pop(spans);
    }
    publish(intake);
}

enum weir_status intake_serve(struct weir_intake *intake,
                              struct weir_error *err)
{
    enum weir_status status;
    struct mail_list mail;
    struct mail *run;

    mail_list_init(&mail);
    mailbox_take_all(&intake->box, &mail);
    live_adopt(&intake->on_the_way, &intake->run->born[intake->home]);
    run = mail_list_pop(&mail);
    while (run) {
        take_back(intake, message_of(run), run->count);
        run = mail_list_pop(&mail);
    }
    publish(intake);
    intake_tell(intake);
    status = intake->settle_status;
    if (status != WEIR_OK)
        *err = intake->settle_error;
    return status;
}

bool intake_name_open(const struct weir_intake *intake, char *out, size_t size)
{
    const struct epoch *found = intake->ended;

    while (found && found->open == 0)
        found = found->next;
    for (uint32_t i = 0; !found && i < intake->epoch_capacity; i++)
        found = intake->epochs[i] && intake->epochs[i]->open > 0
                    ? intake->epochs[i]
                    : NULL;
    if (!found)
        return false;
    if (found->origin->partition >= 0)
        (void)snprintf(out, size, "%s[%d]", found->origin->topic,
                       (int)found->origin->partition);
    else
        (void)snprintf(out, size, "%s", found->origin->topic);
    return true;
}
