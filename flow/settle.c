/*
 * settle.c - the way back: a message has ended, its producer is told.
 *
 * The slot itself is the letter, so a settlement needs no memory and the
 * producer's mailbox has room for all that is in flight, by construction: no
 * stage ever waits to say that something is over.  Neighbouring slots that
 * ended alike leave as one run.
 *
 * A ghost was settled early and only travelled on: its end frees its slot.
 *
 * Threads: a settler belongs to one.
 */
#include "settle.h"

#include "clock.h"
#include "invariant.h"

void settler_init(struct settler *settler, struct run *run)
{
    *settler = (struct settler){.run = run};
    for (unsigned i = 0; i < RUN_MAX_HOMES; i++)
        mail_list_init(&settler->lists[i]);
}

/* The same for all of a flush. */
static int64_t now_of(struct settler *settler)
{
    if (settler->now_us == 0)
        settler->now_us = clock_now_us();
    return settler->now_us;
}

static void note_alike(struct settler *settler)
{
    if (settler->alike == 0)
        return;
    histogram_add(&settler->latency, now_of(settler) - settler->taken_us,
                  settler->alike);
    settler->alike = 0;
}

/* Neighbours were taken in at one time: they are counted together. */
static void note_latency(struct settler *settler,
                         const struct weir_message *msg, enum ending ending)
{
    if (ending != ENDING_DONE && ending != ENDING_DROPPED &&
        ending != ENDING_DISCARDED)
        return;
    if (settler->taken_us != msg->taken_us) {
        note_alike(settler);
        settler->taken_us = msg->taken_us;
    }
    settler->alike++;
}

static enum tap_outcome outcome_of(const struct settler *settler,
                                   enum ending ending)
{
    switch (ending) {
    case ENDING_DONE:
        return TAP_DONE;
    case ENDING_DROPPED:
        return settler->is_of_letters ? TAP_DEAD_LETTERED : TAP_REJECTED;
    case ENDING_DISCARDED:
        return TAP_REJECTED;
    case ENDING_REQUEUED:
        return TAP_REQUEUED;
    default:
        return TAP_ABANDONED;
    }
}

static void show(struct settler *settler, const struct weir_message *msg,
                 enum tap_outcome outcome, const char *why)
{
    const struct tap_look look = {.msg = msg,
                                  .outcome = outcome,
                                  .batcher = settler->batcher,
                                  .why = why,
                                  .now_us = now_of(settler)};

    tap_note(&settler->run->tap, &look, &settler->tap_rest);
}

void settle_later(struct settler *settler, const struct weir_message *msg,
                  const char *why)
{
    if (tap_is_open(&settler->run->tap))
        show(settler, msg, TAP_RETRIED, why);
}

static bool extends(const struct weir_message *last,
                    const struct weir_message *msg)
{
    return last && last + last->mail.count == msg &&
           last->ending == msg->ending;
}

void settle(struct settler *settler, struct weir_message *msg,
            enum ending ending)
{
    const unsigned home = msg->chunk->home;
    struct mail_list *list = &settler->lists[home];
    struct weir_message *last = settler->last[home];

    INVARIANT(msg->ending == ENDING_NONE);
    if (msg->is_ghost && ending != ENDING_MOVED) {
        if (ending != ENDING_DONE)
            counter_add(&settler->run->counters.failed_after_settle, 1);
        ending = ENDING_MOVED;
    }
    note_latency(settler, msg, ending);
    if (tap_is_open(&settler->run->tap) && ending != ENDING_MOVED)
        show(settler, msg, outcome_of(settler, ending), NULL);
    msg->ending = (uint8_t)ending;
    msg->mail.count = 1;
    msg->mail.size = msg->record->size;
    if (extends(last, msg)) {
        last->mail.count++;
        last->mail.size += msg->mail.size;
        list->count++;
        list->size += msg->mail.size;
        return;
    }
    mail_list_add(list, &msg->mail);
    settler->last[home] = msg;
}

void settler_flush(struct settler *settler)
{
    note_alike(settler);
    settler->now_us = 0;
    if (settler->tap_rest.is_some)
        tap_tell_rest(&settler->run->tap, &settler->tap_rest);
    for (unsigned i = 0; i < settler->run->home_count; i++) {
        if (!settler->lists[i].head)
            continue;
        mailbox_post(settler->run->homes[i], &settler->lists[i]);
        settler->last[i] = NULL;
    }
}
