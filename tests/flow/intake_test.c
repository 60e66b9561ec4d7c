/*
 * intake_test.c - what is taken in is counted, bounded, and settled once.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "rig.h"

static int setup(void **state)
{
    *state = rig_create(WEIR_ORDERING_NONE);
    return 0;
}

static int setup_partition(void **state)
{
    *state = rig_create(WEIR_ORDERING_PARTITION);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

#define TEST_PARTITION(name)                                                   \
    cmocka_unit_test_setup_teardown(name, setup_partition, teardown)

static void expect_told(const struct rig *rig, size_t index,
                        const struct weir_settlement *want)
{
    assert_true(index < rig->told_count);
    assert_int_equal(rig->told[index].source, want->source);
    assert_int_equal(rig->told[index].outcome, want->outcome);
    assert_true(rig->told[index].first == want->first);
    assert_true(rig->told[index].count == want->count);
}

/* ---- settlements and the ledger ---- */

static void what_ended_alike_is_told_as_one_run(void **state)
{
    struct rig *rig = *state;

    rig_begin(rig, 3);
    rig_offer(rig, 3, 200); /* more than three chunks */
    rig_finish_all(rig, ENDING_DONE);
    assert_int_equal(rig->told_count, 1);
    expect_told(rig, 0,
                &(struct weir_settlement){.source = 3,
                                          .outcome = WEIR_OUTCOME_DONE,
                                          .first = 0,
                                          .count = 200});
}

static void every_ending_has_its_outcome_and_its_place_in_the_ledger(
    void **state)
{
    static const struct {
        enum ending ending;
        enum weir_outcome outcome;
    } rows[] = {{ENDING_DONE, WEIR_OUTCOME_DONE},
                {ENDING_DROPPED, WEIR_OUTCOME_DONE},
                {ENDING_DISCARDED, WEIR_OUTCOME_DISCARD},
                {ENDING_REQUEUED, WEIR_OUTCOME_REQUEUE},
                {ENDING_LEFT, WEIR_OUTCOME_LEAVE}};
    struct rig *rig = *state;
    struct weir_ledger ledger;

    rig_begin(rig, 0);
    for (size_t i = 0; i < 5; i++) {
        rig_offer(rig, 0, 1);
        settle(&rig->settler, rig_take_one(rig), rows[i].ending);
        settler_flush(&rig->settler);
        rig_serve(rig);
        expect_told(rig, i,
                    &(struct weir_settlement){
                        .outcome = rows[i].outcome, .first = i, .count = 1});
    }
    ledger = rig_ledger(rig);
    assert_int_equal(ledger.received, 5);
    assert_int_equal(ledger.done, 1);
    assert_int_equal(ledger.rejected, 2);
    assert_int_equal(ledger.abandoned, 2);
}

static void the_ledger_counts_what_is_in_flight(void **state)
{
    struct rig *rig = *state;
    struct weir_ledger ledger;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 10);
    rig_serve(rig);
    ledger = rig_ledger(rig);
    assert_int_equal(ledger.received, 10);
    assert_int_equal(ledger.in_flight, 10);
    rig_finish_all(rig, ENDING_DONE);
    ledger = rig_ledger(rig);
    assert_int_equal(ledger.in_flight, 0);
    assert_int_equal(ledger.done, 10);
}

/* Two by two: none continues the one before. */
static void more_runs_than_fit_are_told_in_parts(void **state)
{
    struct rig *rig = *state;
    struct hand hand;
    unsigned i = 0;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 3 * INTAKE_SETTLEMENTS);
    do {
        assert_true(ready_take(rig->ready, &hand, CHUNK_SLOTS, 0));
        for (uint32_t at = 0; at < hand.count; at++)
            settle(&rig->settler, hand.messages[at],
                   i++ % 2 ? ENDING_DONE : ENDING_DISCARDED);
        settler_flush(&rig->settler);
        ready_finish(rig->ready, &hand, &(struct mail_list){0}, 0);
    } while (hand.count > 0);
    rig_serve(rig);
    assert_int_equal(rig->told_count, 3 * INTAKE_SETTLEMENTS);
    assert_int_equal(rig_told(rig, 0, WEIR_OUTCOME_DONE),
                     3 * INTAKE_SETTLEMENTS / 2);
}

static void what_settle_answered_is_remembered_until_the_epochs_end(
    void **state)
{
    struct rig *rig = *state;
    struct weir_error err = {0};

    rig_begin(rig, 0);
    rig_offer(rig, 0, 2);
    rig->settle_answer = WEIR_RETRY;
    settle(&rig->settler, rig_take_one(rig), ENDING_DONE);
    settler_flush(&rig->settler);
    assert_int_equal(intake_serve(&rig->intake, &err), WEIR_RETRY);
    assert_string_equal(err.text, "as the test wants it");
    /* It is told nothing more: it asked to be closed. */
    settle(&rig->settler, rig_take_one(rig), ENDING_DONE);
    settler_flush(&rig->settler);
    assert_int_equal(intake_serve(&rig->intake, &err), WEIR_RETRY);
    assert_int_equal(rig->told_count, 1);
    intake_end_all(&rig->intake);
    rig->settle_answer = WEIR_OK;
    assert_int_equal(intake_serve(&rig->intake, &err), WEIR_OK);
    assert_int_equal(rig_ledger(rig).done, 2);
}

static void an_open_message_can_be_named(void **state)
{
    struct rig *rig = *state;
    char name[32] = "";

    assert_false(intake_name_open(&rig->intake, name, sizeof name));
    rig_begin(rig, 7);
    assert_false(intake_name_open(&rig->intake, name, sizeof name));
    rig_offer(rig, 7, 1);
    assert_true(intake_name_open(&rig->intake, name, sizeof name));
    assert_string_equal(name, "t[7]");
    rig_finish_all(rig, ENDING_DONE);
}

/* ---- records ---- */

static struct weir_message *take_in(struct rig *rig,
                                    const struct weir_record *record)
{
    assert_int_equal(weir_intake_add(&rig->intake, 0, record), WEIR_OK);
    intake_flush(&rig->intake);
    return rig_take_one(rig);
}

static void end(struct rig *rig, struct weir_message *msg)
{
    settle(&rig->settler, msg, ENDING_DONE);
    settler_flush(&rig->settler);
    rig_serve(rig);
}

static void deliveries_near_the_brokers_limit_are_counted(void **state)
{
    struct rig *rig = *state;

    rig_begin(rig, 0);
    end(rig, take_in(rig, &(struct weir_record){.is_last = true}));
    end(rig, take_in(rig, &(struct weir_record){.is_last = false}));
    assert_int_equal(counter_get(&rig->run.counters.last_deliveries), 1);
}

static void a_record_that_is_too_large_comes_without_its_payload(void **state)
{
    struct rig *rig = *state;
    const struct weir_bytes text = {"0123456789", 10};
    struct weir_message *msg;

    rig_begin(rig, 0);
    rig->run.max_message_bytes = 10;
    msg = take_in(rig, &(struct weir_record){.key = text, .payload = text});
    assert_false(msg->record->is_omitted);
    end(rig, msg);
    rig->run.max_message_bytes = 9;
    msg = take_in(rig, &(struct weir_record){.key = text, .payload = text});
    assert_true(msg->record->is_omitted);
    assert_int_equal(msg->record->omitted, 10);
    assert_null(weir_message_payload(msg).data);
    assert_int_equal(weir_message_key(msg).size, 10);
    end(rig, msg);
}

static void a_payload_that_was_not_taken_at_all_keeps_its_size(void **state)
{
    struct rig *rig = *state;
    struct weir_message *msg;

    rig_begin(rig, 0);
    msg = take_in(rig, &(struct weir_record){.omitted = (size_t)3 << 30});
    assert_true(msg->record->is_omitted);
    assert_true(msg->record->omitted == (uint64_t)3 << 30);
    end(rig, msg);
}

/* More than can be counted in a record; a broker lets it pass. */
static void a_record_with_too_many_headers_comes_without_them(void **state)
{
    struct rig *rig = *state;
    const size_t count = UINT16_MAX + 10;
    struct weir_header *headers = calloc(count, sizeof *headers);
    struct weir_message *msg;

    assert_non_null(headers);
    for (size_t i = 0; i < count; i++)
        headers[i].name = weir_str("a-header");
    rig_begin(rig, 0);
    msg = take_in(rig, &(struct weir_record){.ticket = 5,
                                             .key = weir_str("key"),
                                             .payload = weir_str("payload"),
                                             .headers = headers,
                                             .header_count = count});
    assert_true(msg->record->is_omitted);
    assert_true(msg->record->omitted > count * 8);
    assert_int_equal(weir_message_header_count(msg), 0);
    assert_int_equal(weir_message_key(msg).size, 3);
    end(rig, msg);
    free(headers);
}

static void large_and_small_records_keep_their_order(void **state)
{
    static char large[40000];
    struct rig *rig = *state;
    struct hand hand;
    uint64_t seen = 0;

    rig_begin(rig, 0);
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(
            weir_intake_add(&rig->intake, 0,
                            &(struct weir_record){
                                .ticket = i,
                                .payload = {large, i % 3 ? 10 : sizeof large}}),
            WEIR_OK);
    intake_flush(&rig->intake);
    do {
        assert_true(ready_take(rig->ready, &hand, CHUNK_SLOTS, 0));
        for (uint32_t i = 0; i < hand.count; i++, seen++) {
            assert_true(hand.messages[i]->ticket == seen);
            assert_int_equal(weir_message_payload(hand.messages[i]).size,
                             seen % 3 ? 10 : sizeof large);
        }
        rig_finish_hand(rig, &hand, ENDING_DONE);
    } while (hand.count > 0);
    assert_int_equal(seen, 20);
    rig_serve(rig);
}

/* ---- memory ---- */

static void chunks_are_used_again(void **state)
{
    struct rig *rig = *state;
    size_t used;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 64);
    rig_finish_all(rig, ENDING_DONE);
    used = atomic_load(&rig->run.budget.used);
    for (int i = 0; i < 100; i++) {
        rig_offer(rig, 0, 64);
        rig_finish_all(rig, ENDING_DONE);
    }
    assert_int_equal(atomic_load(&rig->run.budget.used), used);
}

static void slots_may_come_back_in_any_order(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    rig_begin(rig, 0);
    for (int round = 0; round < 3; round++) {
        rig_offer(rig, 0, 64);
        do {
            struct mail_list back;

            mail_list_init(&back);
            assert_true(ready_take(rig->ready, &hand, CHUNK_SLOTS, 0));
            for (uint32_t i = hand.count; i > 0; i--)
                settle(&rig->settler, hand.messages[i - 1], ENDING_DONE);
            settler_flush(&rig->settler);
            ready_finish(rig->ready, &hand, &back, 0);
        } while (hand.count > 0);
        rig_serve(rig);
    }
    assert_int_equal(rig_told(rig, 0, WEIR_OUTCOME_DONE), 3 * 64);
}

static void a_full_budget_refuses_and_room_makes_it_take_again(void **state)
{
    struct rig *rig = *state;
    unsigned taken = 0;
    enum weir_status status;

    rig_begin(rig, 0);
    rig->run.budget.limit = (size_t)300 * 1024;
    assert_true(intake_demand(&rig->intake) > 0);
    do {
        status = rig_add(rig, 0, NULL);
        taken += status != WEIR_RETRY;
    } while (status != WEIR_RETRY && taken < 10000);
    assert_true(taken >= 64 && taken < 10000);
    assert_true(atomic_load(&rig->run.budget.used) <= rig->run.budget.limit);
    /* In the rest of this pull() nothing else is taken, however small. */
    assert_int_equal(rig_add(rig, 0, NULL), WEIR_RETRY);
    intake_flush(&rig->intake);
    rig_serve(rig);
    assert_int_equal(rig_ledger(rig).received, taken);
    rig_finish_all(rig, ENDING_DONE);
    assert_true(intake_demand(&rig->intake) > 0);
    assert_int_equal(rig_add(rig, 0, NULL), WEIR_OK);
    intake_flush(&rig->intake);
    rig_finish_all(rig, ENDING_DONE);
}

static void something_always_moves_however_small_the_budget(void **state)
{
    static char large[100000];
    struct rig *rig = *state;

    rig_begin(rig, 0);
    rig->run.budget.limit = 1;
    for (int i = 0; i < 5; i++) {
        assert_true(intake_demand(&rig->intake) > 0);
        assert_int_equal(
            weir_intake_add(&rig->intake, 0,
                            &(struct weir_record){
                                .ticket = (uint64_t)i,
                                .payload = {large, i % 2 ? 1 : sizeof large}}),
            WEIR_OK);
        intake_flush(&rig->intake);
        rig_finish_all(rig, ENDING_DONE);
    }
}

static void a_full_budget_starves_the_sources(void **state)
{
    struct rig *rig = *state;

    rig_begin(rig, 0);
    rig->run.budget.limit = 1;
    rig_offer(rig, 0, 64);
    assert_int_equal(intake_demand(&rig->intake), 0);
    assert_true(rig->intake.epochs[0]->is_starved);
    assert_int_equal(rig->pokes, 1);
    rig_finish_all(rig, ENDING_DONE);
    assert_true(intake_demand(&rig->intake) > 0);
    rig_offer(rig, 0, 1);
    assert_false(rig->intake.epochs[0]->is_starved);
    rig_finish_all(rig, ENDING_DONE);
}

/* ---- holds ---- */

static void note_release(void *self, uint32_t source)
{
    struct rig *rig = self;

    rig->released[rig->released_count++] = source;
}

static unsigned add_until_hold(struct rig *rig, uint32_t source)
{
    unsigned added = 0;
    enum weir_status status;

    do {
        status = rig_add(rig, source, NULL);
        assert_true(status == WEIR_OK || status == WEIR_HOLD);
        added++;
    } while (status != WEIR_HOLD && added < 10000);
    return added;
}

static void a_source_with_enough_waiting_is_held_and_released_later(
    void **state)
{
    struct rig *rig = *state;
    const uint32_t limit = ready_source_limit(rig->ready, 2);
    unsigned held;

    rig_begin(rig, 0);
    rig_begin(rig, 1);
    held = add_until_hold(rig, 0);
    assert_true(held >= limit && held <= limit + CHUNK_SLOTS);
    assert_int_equal(rig_add(rig, 1, NULL), WEIR_OK); /* the other flows */
    intake_flush(&rig->intake);
    intake_release(&rig->intake, note_release);
    assert_int_equal(rig->released_count, 0);
    rig_finish_all(rig, ENDING_DONE);
    intake_release(&rig->intake, note_release);
    assert_int_equal(rig->released_count, 1);
    assert_int_equal(rig->released[0], 0);
    intake_release(&rig->intake, note_release);
    assert_int_equal(rig->released_count, 1);
    assert_int_equal(rig_add(rig, 0, NULL), WEIR_OK);
    intake_flush(&rig->intake);
    rig_finish_all(rig, ENDING_DONE);
}

static void what_a_held_source_has_waiting_does_not_count(void **state)
{
    struct rig *rig = *state;
    const uint32_t all = intake_demand(&rig->intake);

    rig_begin(rig, 0);
    rig_begin(rig, 1);
    (void)add_until_hold(rig, 0);
    intake_flush(&rig->intake);
    assert_int_equal(intake_demand(&rig->intake), all);
    rig_offer(rig, 1, 10);
    assert_int_equal(intake_demand(&rig->intake), all - 10);
    rig_finish_all(rig, ENDING_DONE);
}

static void a_source_with_a_quarter_of_the_budget_is_held_unless_alone(
    void **state)
{
    static char large[20000];
    struct rig *rig = *state;
    struct weir_record record = {.payload = {large, sizeof large}};

    rig->run.budget.limit = (size_t)12 * sizeof large;
    rig_begin(rig, 0);
    for (; record.ticket < 4; record.ticket++)
        assert_int_equal(weir_intake_add(&rig->intake, 0, &record), WEIR_OK);
    rig_begin(rig, 1);
    assert_int_equal(weir_intake_add(&rig->intake, 0, &record), WEIR_HOLD);
    assert_int_equal(rig_add(rig, 1, NULL), WEIR_OK);
    intake_flush(&rig->intake);
    rig_finish_all(rig, ENDING_DONE);
    intake_release(&rig->intake, note_release);
    assert_int_equal(rig->released_count, 1);
}

static void note_hold(void *self, uint32_t source)
{
    struct rig *rig = self;

    rig->released[rig->released_count++] = source;
}

static void a_source_that_was_alone_makes_room_when_another_begins(void **state)
{
    static char large[20000];
    struct rig *rig = *state;
    struct weir_record record = {.payload = {large, sizeof large}};

    rig->run.budget.limit = (size_t)12 * sizeof large;
    rig_begin(rig, 0);
    for (; record.ticket < 4; record.ticket++)
        assert_int_equal(weir_intake_add(&rig->intake, 0, &record), WEIR_OK);
    intake_flush(&rig->intake);
    intake_hold(&rig->intake, note_hold);
    assert_int_equal(rig->released_count, 0);
    rig_begin(rig, 1);
    intake_hold(&rig->intake, note_hold);
    intake_hold(&rig->intake, note_hold); /* once is enough */
    assert_int_equal(rig->released_count, 1);
    assert_int_equal(rig->released[0], 0);
    rig_finish_all(rig, ENDING_DONE);
    intake_release(&rig->intake, note_release);
    assert_int_equal(rig->released_count, 2);
}

static void a_connector_with_one_source_is_never_told_to_hold(void **state)
{
    struct rig *rig = *state;

    rig->intake.can_hold = false;
    rig_begin(rig, 0);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(rig_add(rig, 0, NULL), WEIR_OK);
    intake_flush(&rig->intake);
    assert_int_equal(intake_demand(&rig->intake), 0); /* this says it */
    rig_finish_all(rig, ENDING_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_ended_alike_is_told_as_one_run),
        TEST(every_ending_has_its_outcome_and_its_place_in_the_ledger),
        TEST(the_ledger_counts_what_is_in_flight),
        TEST(more_runs_than_fit_are_told_in_parts),
        TEST(what_settle_answered_is_remembered_until_the_epochs_end),
        TEST(an_open_message_can_be_named),
        TEST(deliveries_near_the_brokers_limit_are_counted),
        TEST(a_record_that_is_too_large_comes_without_its_payload),
        TEST(a_payload_that_was_not_taken_at_all_keeps_its_size),
        TEST(a_record_with_too_many_headers_comes_without_them),
        TEST(large_and_small_records_keep_their_order),
        TEST(chunks_are_used_again),
        TEST(slots_may_come_back_in_any_order),
        TEST(a_full_budget_refuses_and_room_makes_it_take_again),
        TEST(something_always_moves_however_small_the_budget),
        TEST(a_full_budget_starves_the_sources),
        TEST_PARTITION(a_source_with_enough_waiting_is_held_and_released_later),
        TEST_PARTITION(what_a_held_source_has_waiting_does_not_count),
        TEST_PARTITION(
            a_source_with_a_quarter_of_the_budget_is_held_unless_alone),
        TEST_PARTITION(a_source_that_was_alone_makes_room_when_another_begins),
        TEST_PARTITION(a_connector_with_one_source_is_never_told_to_hold),
    };

    return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
