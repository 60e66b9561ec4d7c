/*
 * rig.c - an intake, a ready queue and what comes back, without any thread.
 *
 * Threads: the test's; `run->poke` may come from any.
 */
#include "test.h"

#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

static void count_poke(void *opaque)
{
    atomic_fetch_add(&((struct rig *)opaque)->pokes, 1);
}

static void count_wake(void *opaque)
{
    atomic_fetch_add(&((struct rig *)opaque)->wakes, 1);
}

static enum weir_status note_settlements(void *self,
                                         const struct weir_settlement *list,
                                         size_t count, struct weir_error *err)
{
    struct rig *rig = self;

    assert_true(rig->told_count + count <= RIG_SETTLEMENTS);
    for (size_t i = 0; i < count; i++)
        rig->told[rig->told_count++] = list[i];
    return rig->settle_answer == WEIR_OK
               ? WEIR_OK
               : weir_fail(err, rig->settle_answer, "as the test wants it");
}

struct rig *rig_create_limited(enum weir_ordering ordering,
                               const struct ready_limits *limits)
{
    struct rig *rig = calloc(1, sizeof *rig);

    assert_non_null(rig);
    rig->run = (struct run){.name = "test",
                            .ordering = ordering,
                            .policies = (1U << WEIR_POLICY_COUNT) - 1,
                            .max_message_bytes = 1 << 20,
                            .is_strict = true,
                            .budget = {.limit = 64 << 20},
                            .home_count = 1,
                            .poke = count_poke,
                            .poke_opaque = rig};
    rig->ready = ready_create(&rig->run, limits);
    assert_non_null(rig->ready);
    intake_init(&rig->intake, &rig->run, rig->ready, 0, count_wake, rig);
    rig->intake.settle = note_settlements;
    rig->intake.self = rig;
    rig->intake.can_hold = true;
    settler_init(&rig->settler, &rig->run);
    return rig;
}

struct rig *rig_create(enum weir_ordering ordering)
{
    return rig_create_limited(
        ordering, &(struct ready_limits){
                      .workers = 2, .max_demand = 1024, .min_demand = 512});
}

void rig_destroy(struct rig *rig)
{
    struct weir_ledger ledger;

    if (!rig)
        return;
    settler_flush(&rig->settler);
    rig->settle_answer = WEIR_OK;
    rig->intake.settle_status = WEIR_OK;
    intake_end_all(&rig->intake);
    rig_serve(rig);
    ledger = rig_ledger(rig);
    assert_int_equal(ledger.in_flight, 0);
    assert_null(rig->intake.ended); /* nothing refers to an epoch */
    intake_finish(&rig->intake);
    ready_destroy(rig->ready);
    assert_int_equal(atomic_load(&rig->run.budget.used), 0);
    free(rig);
}

void rig_begin(struct rig *rig, uint32_t source)
{
    assert_int_equal(
        weir_intake_begin(
            &rig->intake, source,
            &(struct weir_origin){.topic = "t", .partition = (int32_t)source}),
        WEIR_OK);
}

enum weir_status rig_add(struct rig *rig, uint32_t source, const char *key)
{
    char payload[32];
    const uint64_t ticket = rig->next_ticket;
    enum weir_status status;

    (void)snprintf(payload, sizeof payload, "%llu", (unsigned long long)ticket);
    status = weir_intake_add(&rig->intake, source,
                             &(struct weir_record){
                                 .ticket = ticket,
                                 .offset = (int64_t)ticket,
                                 .timestamp_ms = -1,
                                 .key = weir_str(key),
                                 .payload = weir_str(payload),
                             });
    if (status == WEIR_OK || status == WEIR_HOLD)
        rig->next_ticket++;
    return status;
}

void rig_add_many(struct rig *rig, uint32_t source, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const enum weir_status status = rig_add(rig, source, NULL);

        assert_true(status == WEIR_OK || status == WEIR_HOLD);
    }
}

void rig_offer(struct rig *rig, uint32_t source, unsigned count)
{
    rig_add_many(rig, source, count);
    intake_flush(&rig->intake);
}

void rig_finish_hand(struct rig *rig, struct hand *hand, enum ending ending)
{
    struct mail_list back;

    mail_list_init(&back);
    for (uint32_t i = 0; i < hand->count; i++)
        settle(&rig->settler, hand->messages[i], ending);
    settler_flush(&rig->settler);
    ready_finish(rig->ready, hand, &back, 0);
}

void rig_serve(struct rig *rig)
{
    struct weir_error err = {0};

    assert_int_equal(intake_serve(&rig->intake, &err), WEIR_OK);
    (void)rig_ledger(rig);
}

void rig_finish_all(struct rig *rig, enum ending ending)
{
    struct hand hand;

    do {
        assert_true(ready_take(rig->ready, &hand, CHUNK_SLOTS, 0));
        rig_finish_hand(rig, &hand, ending);
    } while (hand.count > 0);
    rig_serve(rig);
}

struct weir_message *rig_take_one(struct rig *rig)
{
    struct mail_list back;
    struct hand hand;

    assert_true(ready_take(rig->ready, &hand, CHUNK_SLOTS, 0));
    assert_int_equal(hand.count, 1);
    mail_list_init(&back);
    ready_finish(rig->ready, &hand, &back, 0);
    return hand.messages[0];
}

struct weir_ledger rig_ledger(struct rig *rig)
{
    struct weir_ledger ledger;

    intake_ledger(&rig->intake, &ledger);
    assert_int_equal(ledger.received, ledger.done + ledger.rejected +
                                          ledger.abandoned + ledger.in_flight);
    return ledger;
}

uint64_t rig_told(const struct rig *rig, uint32_t source,
                  enum weir_outcome outcome)
{
    uint64_t count = 0;

    for (size_t i = 0; i < rig->told_count; i++) {
        if (rig->told[i].source == source && rig->told[i].outcome == outcome)
            count += rig->told[i].count;
    }
    return count;
}

void rig_expect_counts(struct rig *rig, uint32_t waiting, uint32_t in_hand)
{
    struct ready_view view;

    ready_look(rig->ready, &view);
    assert_int_equal(view.waiting + view.delayed, waiting);
    assert_int_equal(view.in_hand, in_hand);
}

void rig_take(struct rig *rig, struct hand *hand, uint32_t count)
{
    assert_true(ready_take(rig->ready, hand, CHUNK_SLOTS, 0));
    assert_int_equal(hand->count, count);
}

/* Tickets in a row. */
void rig_expect_tickets(const struct hand *hand, uint64_t first)
{
    for (uint32_t i = 0; i < hand->count; i++)
        assert_true(hand->messages[i]->ticket == first + i);
}

/* `count` last messages of the hand go back to their lane until `due_us`. */
void rig_finish_holding(struct rig *rig, struct hand *hand, uint32_t count,
                        int64_t due_us)
{
    struct mail_list back;

    mail_list_init(&back);
    for (uint32_t i = 0; i < hand->count; i++) {
        struct weir_message *msg = hand->messages[i];

        msg->mail = (struct mail){.count = 1, .size = msg->record->size};
        if (i < hand->count - count)
            settle(&rig->settler, msg, ENDING_DONE);
        else
            mail_list_add(&back, &msg->mail);
    }
    ready_finish(rig->ready, hand, &back, due_us);
}

void rig_leave(struct rig *rig, struct mail_list *list)
{
    struct mail *mail = mail_list_pop(list);

    while (mail) {
        const uint32_t count = mail->count;

        for (uint32_t i = 0; i < count; i++)
            settle(&rig->settler, &message_of(mail)[i], ENDING_LEFT);
        mail = mail_list_pop(list);
    }
    settler_flush(&rig->settler);
    rig_serve(rig);
}
