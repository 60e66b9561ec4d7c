/*
 * tap_test.c - a sample of messages: what was asked for, no more, and counted.
 */
#include "test.h"

#include <pthread.h>
#include <string.h>

#include "clock.h"
#include "rig.h"
#include "tap.h"

#define MS INT64_C(1000)

enum { ALL = (1 << TAP_OUTCOME_COUNT) - 1, THREADS = 4, EACH = 20000 };

static struct weir_message *message; /* that all happens to */

static struct weir_message *take(struct rig *rig)
{
    rig_offer(rig, 0, 1);
    return rig_take_one(rig);
}

static int setup(void **state)
{
    struct rig *rig = rig_create(WEIR_ORDERING_NONE);

    tap_init(&rig->run.tap);
    rig_begin(rig, 0);
    message = take(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    settle(&rig->settler, message, ENDING_DONE);
    settler_flush(&rig->settler);
    rig_serve(rig);
    tap_finish(&rig->run.tap);
    rig_destroy(rig);
    return 0;
}

static struct tap_wish wish(unsigned outcomes, uint32_t rate)
{
    return (struct tap_wish){.outcomes = outcomes, .rate = rate};
}

static uint64_t ask_for(struct tap *tap, uint64_t id, struct tap_wish to,
                        int64_t now_us)
{
    uint64_t found = 0;

    assert_int_equal(tap_ask(tap, id, &to, now_us, &found), WEIR_OK);
    assert_true(found > 0);
    return found;
}

/* It happens so often, `step_us` one after the other. */
static void note_many(struct rig *rig, enum tap_outcome outcome, unsigned count,
                      int64_t from_us, int64_t step_us)
{
    struct tap_rest rest = {.is_some = false};

    for (unsigned i = 0; i < count; i++)
        tap_note(&rig->run.tap,
                 &(struct tap_look){.msg = message,
                                    .outcome = outcome,
                                    .now_us = from_us + i * step_us},
                 &rest);
    if (rest.is_some)
        tap_tell_rest(&rig->run.tap, &rest);
}

static void nobody_asked_and_nothing_is_kept(void **state)
{
    struct rig *rig = *state;
    uint64_t left_out;

    assert_false(tap_is_open(&rig->run.tap));
    note_many(rig, TAP_DONE, 10, 1, 1);
    assert_int_equal(tap_take(&rig->run.tap, 7, &left_out)->count, 0);
}

static void what_was_asked_for_is_kept_and_taken_once(void **state)
{
    struct rig *rig = *state;
    struct tap *tap = &rig->run.tap;
    const uint64_t id = ask_for(tap, 0, wish(1U << TAP_REJECTED, 10), 1);
    const struct tap_ring *ring;
    uint64_t left_out;

    assert_true(tap_is_open(tap));
    note_many(rig, TAP_DONE, 10, 1, 1);
    note_many(rig, TAP_REJECTED, 2, 1, 1);
    ring = tap_take(tap, id, &left_out);
    assert_int_equal(ring->count, 2);
    assert_int_equal(left_out, 0);
    assert_int_equal(ring->entries[0].outcome, TAP_REJECTED);
    assert_string_equal(ring->entries[0].origin->topic, "t");
    assert_null(ring->entries[0].payload.data); /* it wasn't asked for */
    assert_int_equal(tap_take(tap, id, &left_out)->count, 0);
}

/* Ten a second: ten of a batch at once, then one each 100 ms; of the rest it is
 * counted how many they were. */
static void the_rate_holds_and_what_is_left_out_is_counted(void **state)
{
    struct rig *rig = *state;
    struct tap *tap = &rig->run.tap;
    const uint64_t id = ask_for(tap, 0, wish(ALL, 10), 1);
    uint64_t left_out;

    note_many(rig, TAP_DONE, 100, 1000 * MS, 0);
    assert_int_equal(tap_take(tap, id, &left_out)->count, 10);
    assert_int_equal(left_out, 90);
    note_many(rig, TAP_DONE, 1000, 1000 * MS, MS); /* a second */
    assert_in_range(tap_take(tap, id, &left_out)->count, 9, 11);
    assert_in_range(left_out, 989, 991);
}

static void nobody_takes_and_the_ring_takes_no_more(void **state)
{
    struct rig *rig = *state;
    struct tap *tap = &rig->run.tap;
    const uint64_t id = ask_for(tap, 0, wish(ALL, TAP_RATE_MAX), 1);
    uint64_t left_out;

    note_many(rig, TAP_DONE, TAP_ROOM + 50, 1000 * MS, MS);
    assert_int_equal(tap_take(tap, id, &left_out)->count, TAP_ROOM);
    assert_int_equal(left_out, 50);
    note_many(rig, TAP_DONE, 5, 2000 * MS, MS);
    assert_int_equal(tap_take(tap, id, &left_out)->count, 5);
}

static void whoever_stops_asking_has_ended_it(void **state)
{
    struct rig *rig = *state;
    struct tap *tap = &rig->run.tap;
    const uint64_t id = ask_for(tap, 0, wish(ALL, 10), 1);
    uint64_t left_out;

    note_many(rig, TAP_DONE, 1, TAP_LEASE_US - 1, 0);
    assert_int_equal(tap_take(tap, id, &left_out)->count, 1);
    assert_int_equal(ask_for(tap, id, wish(ALL, 10), TAP_LEASE_US), id);
    note_many(rig, TAP_DONE, 1, 2 * TAP_LEASE_US - 1, 0);
    assert_true(tap_is_open(tap));
    note_many(rig, TAP_DONE, 1, 2 * TAP_LEASE_US + 1, 0);
    assert_false(tap_is_open(tap));
    assert_int_equal(tap_take(tap, id, &left_out)->count, 1);
}

static void another_wish_is_another_tap(void **state)
{
    struct rig *rig = *state;
    struct tap *tap = &rig->run.tap;
    const uint64_t id = ask_for(tap, 0, wish(ALL, 10), 1);

    assert_int_equal(ask_for(tap, id, wish(ALL, 10), 2), id);
    assert_true(ask_for(tap, id, wish(ALL, 11), 2) != id);
    assert_true(ask_for(tap, id + 12345, wish(ALL, 10), 2) != id);
}

static void so_many_may_sample_and_the_one_that_is_gone_makes_room(void **state)
{
    struct rig *rig = *state;
    struct tap *tap = &rig->run.tap;
    const struct tap_wish to = wish(ALL, 10);
    uint64_t ids[TAP_PLACES], one;

    for (unsigned i = 0; i < TAP_PLACES; i++)
        ids[i] = ask_for(tap, 0, to, 1);
    assert_int_equal(tap_ask(tap, 0, &to, 2, &one), WEIR_AGAIN);
    for (unsigned i = 1; i < TAP_PLACES; i++)
        assert_int_equal(ask_for(tap, ids[i], to, TAP_IDLE_US), ids[i]);
    one = ask_for(tap, 0, to, TAP_IDLE_US + 2); /* in the place of the first */
    note_many(rig, TAP_DONE, 1, TAP_IDLE_US + 2, 0);
    for (unsigned i = 0; i < TAP_PLACES; i++) {
        uint64_t left_out;

        assert_int_equal(tap_take(tap, i == 0 ? one : ids[i], &left_out)->count,
                         1);
    }
}

static void keys_and_payloads_are_cut_off(void **state)
{
    struct rig *rig = *state;
    struct tap *tap = &rig->run.tap;
    struct tap_wish to = wish(ALL, 10);
    static char payload[TAP_PAYLOAD_SIZE + 10];
    const struct weir_record record = {.ticket = rig->next_ticket++,
                                       .timestamp_ms = -1,
                                       .offset = 77,
                                       .key = {"a key", 5},
                                       .payload = {payload, sizeof payload}};
    const struct tap_entry *entry;
    uint64_t id, left_out;

    memset(payload, 'x', sizeof payload);
    to.has_payload = true;
    assert_int_equal(weir_intake_add(&rig->intake, 0, &record), WEIR_OK);
    intake_flush(&rig->intake);
    settle(&rig->settler, message, ENDING_DONE);
    message = rig_take_one(rig);
    id = ask_for(tap, 0, to, 1);
    note_many(rig, TAP_DONE, 1, 1, 0);
    entry = tap_take(tap, id, &left_out)->entries;
    assert_int_equal(entry->position, 77);
    assert_int_equal(entry->key.kept, 5);
    assert_memory_equal(entry->key.data, "a key", 5);
    assert_int_equal(entry->payload.size, sizeof payload);
    assert_int_equal(entry->payload.kept, TAP_PAYLOAD_SIZE);
    assert_memory_equal(entry->payload.data, payload, TAP_PAYLOAD_SIZE);
    assert_int_equal(entry->size, sizeof payload);
}

/* ---- what settle() shows ---- */

static void each_end_is_shown_as_what_it_is(void **state)
{
    static const struct {
        enum ending ending;
        enum tap_outcome outcome;
    } ends[] = {{ENDING_DONE, TAP_DONE},
                {ENDING_DROPPED, TAP_REJECTED},
                {ENDING_DISCARDED, TAP_REJECTED},
                {ENDING_REQUEUED, TAP_REQUEUED},
                {ENDING_LEFT, TAP_ABANDONED}};
    struct rig *rig = *state;
    struct tap *tap = &rig->run.tap;
    const uint64_t id = ask_for(tap, 0, wish(ALL, 100), clock_now_us());
    const struct tap_ring *ring;
    uint64_t left_out;

    for (unsigned i = 0; i < 5; i++)
        settle(&rig->settler, take(rig), ends[i].ending);
    rig->settler.is_of_letters = true;
    settle(&rig->settler, take(rig), ENDING_DROPPED);
    settler_flush(&rig->settler);
    ring = tap_take(tap, id, &left_out);
    assert_int_equal(ring->count, 6);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(ring->entries[i].outcome, ends[i].outcome);
    assert_int_equal(ring->entries[5].outcome, TAP_DEAD_LETTERED);
    assert_in_range(ring->entries[0].latency_us, 0, 600000 * MS);
}

static void what_moves_is_no_end_and_what_waits_is_retried(void **state)
{
    struct rig *rig = *state;
    struct tap *tap = &rig->run.tap;
    const uint64_t id = ask_for(tap, 0, wish(ALL, 100), clock_now_us());
    struct weir_message *msg = take(rig), *copy;
    const struct tap_ring *ring;
    uint64_t left_out;

    copy = message_move(&rig->run, msg, false);
    assert_non_null(copy);
    settle(&rig->settler, msg, ENDING_MOVED);
    settle_later(&rig->settler, copy, "not now");
    ring = tap_take(tap, id, &left_out);
    assert_int_equal(ring->count, 1);
    assert_int_equal(ring->entries[0].outcome, TAP_RETRIED);
    assert_string_equal(ring->entries[0].reason, "not now");
    settle(&rig->settler, copy, ENDING_DONE);
}

static void what_was_left_out_is_told_with_the_flush(void **state)
{
    struct rig *rig = *state;
    struct tap *tap = &rig->run.tap;
    const uint64_t id = ask_for(tap, 0, wish(ALL, 1), clock_now_us());
    uint64_t left_out;

    for (unsigned i = 0; i < 5; i++)
        settle(&rig->settler, take(rig), ENDING_DONE);
    assert_int_equal(tap_take(tap, id, &left_out)->count, 1);
    assert_int_equal(left_out, 0);
    settler_flush(&rig->settler);
    (void)tap_take(tap, id, &left_out);
    assert_int_equal(left_out, 4);
}

/* ---- from many threads ---- */

static void *note_all(void *opaque)
{
    struct tap *tap = opaque;
    struct tap_rest rest = {.is_some = false};

    for (unsigned i = 0; i < EACH; i++) {
        tap_note(tap,
                 &(struct tap_look){.msg = message,
                                    .outcome = TAP_DONE,
                                    .now_us = clock_now_us()},
                 &rest);
        if (rest.is_some && i % 64 == 0)
            tap_tell_rest(tap, &rest);
    }
    tap_tell_rest(tap, &rest);
    return NULL;
}

/* All that happened while it was asked for are there or counted. */
static void many_threads_lose_no_count(void **state)
{
    struct rig *rig = *state;
    struct tap *tap = &rig->run.tap;
    uint64_t id = ask_for(tap, 0, wish(ALL, TAP_RATE_MAX), clock_now_us());
    uint64_t sum = 0, left_out = 0, rounds = 0;
    pthread_t threads[THREADS];

    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, note_all, tap), 0);
    while (rounds++ < 1000) {
        assert_int_equal(
            ask_for(tap, id, wish(ALL, TAP_RATE_MAX), clock_now_us()), id);
        sum += tap_take(tap, id, &left_out)->count;
        sum += left_out;
    }
    for (unsigned i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < 2; i++) {
        sum += tap_take(tap, id, &left_out)->count;
        sum += left_out;
    }
    assert_int_equal(sum, THREADS * EACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_asked_and_nothing_is_kept),
        TEST(what_was_asked_for_is_kept_and_taken_once),
        TEST(the_rate_holds_and_what_is_left_out_is_counted),
        TEST(nobody_takes_and_the_ring_takes_no_more),
        TEST(whoever_stops_asking_has_ended_it),
        TEST(another_wish_is_another_tap),
        TEST(so_many_may_sample_and_the_one_that_is_gone_makes_room),
        TEST(keys_and_payloads_are_cut_off),
        TEST(each_end_is_shown_as_what_it_is),
        TEST(what_moves_is_no_end_and_what_waits_is_retried),
        TEST(what_was_left_out_is_told_with_the_flush),
        TEST(many_threads_lose_no_count),
    };

    return cmocka_run_group_tests_name("tap", tests, NULL, NULL);
}
