/*
 * acks_test.c - no acknowledgement covers a message that nobody meant.
 */
#include "test.h"

#include "acks.h"

enum { TAGS = 6, NOW = 1000, LINGER = 5000 };

/* What a broker knows of each tag, by the frames that it got. */
enum fate { UNTOLD = 0, ACKED, REJECTED, REQUEUED };

struct peer {
    enum fate fates[1000];
    uint64_t newest;
    unsigned frames, room; /* frames it still takes */
};

static int setup(void **state)
{
    *state = acks_create(100);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    acks_destroy(*state);
    return 0;
}

static enum weir_status take(void *opaque, const struct acks_frame *frame,
                             struct weir_error *err)
{
    struct peer *peer = opaque;
    const uint64_t first = frame->multiple ? 1 : frame->tag;

    (void)err;
    if (peer->room == 0)
        return WEIR_AGAIN;
    peer->room--;
    peer->frames++;
    assert_true(frame->tag > 0 && frame->tag <= peer->newest);
    if (frame->verb != ACKS_ACK)
        assert_false(frame->multiple);
    for (uint64_t tag = first; tag <= frame->tag; tag++) {
        if (frame->multiple && peer->fates[tag] != UNTOLD)
            continue; /* no longer outstanding */
        assert_int_equal(peer->fates[tag], UNTOLD);
        peer->fates[tag] = frame->verb == ACKS_ACK      ? ACKED
                           : frame->verb == ACKS_REJECT ? REJECTED
                                                        : REQUEUED;
    }
    return WEIR_OK;
}

static void begin(struct acks *acks, struct peer *peer, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(acks_begin(acks, ++peer->newest, NULL), WEIR_OK);
}

static void settle(struct acks *acks, uint64_t tag, enum weir_outcome outcome)
{
    const struct weir_settlement settlement = {
        .outcome = outcome, .first = tag, .count = 1};

    acks_settle(acks, &settlement, NOW);
}

static void flush(struct acks *acks, struct peer *peer, enum acks_haste haste,
                  int64_t now_us)
{
    assert_int_equal(acks_flush(acks, haste, now_us, take, peer, NULL),
                     WEIR_OK);
}

static void a_run_of_done_messages_is_one_frame(void **state)
{
    struct acks *acks = *state;
    struct peer peer = {.room = 100};
    const struct weir_settlement all = {
        .outcome = WEIR_OUTCOME_DONE, .first = 1, .count = 50};

    begin(acks, &peer, 60);
    acks_settle(acks, &all, NOW);
    flush(acks, &peer, ACKS_DUE, NOW);

    assert_int_equal(peer.frames, 1);
    assert_int_equal(peer.fates[50], ACKED);
    assert_int_equal(peer.fates[51], UNTOLD);
    assert_int_equal(acks_unwritten(acks), 10);
}

static void a_short_run_waits_for_five_milliseconds(void **state)
{
    struct acks *acks = *state;
    struct peer peer = {.room = 100};

    begin(acks, &peer, 3);
    settle(acks, 1, WEIR_OUTCOME_DONE);
    settle(acks, 2, WEIR_OUTCOME_DONE);
    flush(acks, &peer, ACKS_DUE, NOW + LINGER - 1);
    assert_int_equal(peer.frames, 0);
    assert_int_equal(acks_due_us(acks), NOW + LINGER);

    flush(acks, &peer, ACKS_DUE, NOW + LINGER);
    assert_int_equal(peer.frames, 1);
    assert_int_equal(acks_due_us(acks), INT64_MAX);
}

static void a_done_message_behind_a_hole_is_acknowledged_alone(void **state)
{
    struct acks *acks = *state;
    struct peer peer = {.room = 100};

    begin(acks, &peer, 3);
    settle(acks, 2, WEIR_OUTCOME_DONE);
    settle(acks, 3, WEIR_OUTCOME_DONE);
    flush(acks, &peer, ACKS_DUE, NOW + LINGER);

    assert_int_equal(peer.frames, 2);
    assert_int_equal(peer.fates[1], UNTOLD);
    assert_int_equal(acks_unwritten(acks), 1);
}

static void a_message_that_is_left_blocks_multiple_for_ever(void **state)
{
    struct acks *acks = *state;
    struct peer peer = {.room = 100};

    begin(acks, &peer, 4);
    settle(acks, 1, WEIR_OUTCOME_DONE);
    settle(acks, 2, WEIR_OUTCOME_LEAVE);
    settle(acks, 3, WEIR_OUTCOME_DONE);
    settle(acks, 4, WEIR_OUTCOME_DONE);
    flush(acks, &peer, ACKS_ALL, NOW);

    assert_int_equal(peer.fates[2], UNTOLD);
    assert_int_equal(peer.frames, 3);
    assert_int_equal(acks_unwritten(acks), 1);
    assert_int_equal(acks_waiting(acks), 0);
}

static void a_full_socket_loses_no_frame(void **state)
{
    struct acks *acks = *state;
    struct peer peer = {.room = 1};

    begin(acks, &peer, 4);
    settle(acks, 4, WEIR_OUTCOME_DISCARD);
    settle(acks, 2, WEIR_OUTCOME_REQUEUE);
    settle(acks, 1, WEIR_OUTCOME_DONE);
    settle(acks, 3, WEIR_OUTCOME_DONE);
    assert_int_equal(acks_flush(acks, ACKS_ALL, NOW, take, &peer, NULL),
                     WEIR_AGAIN);
    assert_int_equal(peer.fates[2], REQUEUED);

    peer.room = 100;
    flush(acks, &peer, ACKS_ALL, NOW);
    assert_int_equal(peer.fates[4], REJECTED);
    assert_int_equal(peer.fates[1], ACKED);
    assert_int_equal(peer.fates[3], ACKED);
    assert_int_equal(acks_unwritten(acks), 0);
}

static void a_broker_that_breaks_the_prefetch_is_refused(void **state)
{
    struct acks *acks = *state;
    struct peer peer = {.room = 100};

    begin(acks, &peer, 100);
    assert_int_equal(acks_begin(acks, 101, NULL), WEIR_RETRY);
    settle(acks, 50, WEIR_OUTCOME_DONE);
    flush(acks, &peer, ACKS_ALL, NOW);
    assert_int_equal(acks_begin(acks, 50, NULL), WEIR_RETRY);
    assert_int_equal(acks_begin(acks, 101, NULL), WEIR_OK);
}

static void a_message_near_its_limit_is_rejected_instead_of_requeued(
    void **state)
{
    struct acks *acks = *state;
    struct peer peer = {.room = 100};

    begin(acks, &peer, 1);
    acks_forbid_requeue(acks);
    begin(acks, &peer, 1);
    settle(acks, 1, WEIR_OUTCOME_REQUEUE);
    settle(acks, 2, WEIR_OUTCOME_REQUEUE);
    flush(acks, &peer, ACKS_DUE, NOW);

    assert_int_equal(peer.fates[1], REJECTED);
    assert_int_equal(peer.fates[2], REQUEUED);
}

static void what_nobody_handled_is_requeued_but_never_lost(void **state)
{
    struct acks *acks = *state;
    struct peer peer = {.room = 100};
    const struct weir_settlement both = {.first = 1, .count = 2};

    begin(acks, &peer, 1);
    acks_forbid_requeue(acks);
    begin(acks, &peer, 1);
    acks_hand_back(acks, &both, NOW);
    flush(acks, &peer, ACKS_DUE, NOW);

    assert_int_equal(peer.fates[1], UNTOLD);
    assert_int_equal(peer.fates[2], REQUEUED);
}

static void one_stuck_message_does_not_hold_memory(void **state)
{
    struct acks *acks = *state;
    struct peer peer = {.room = 10000};

    begin(acks, &peer, 1);
    for (uint64_t tag = 2; tag < 999; tag++) {
        begin(acks, &peer, 1);
        settle(acks, tag, WEIR_OUTCOME_DONE);
        flush(acks, &peer, ACKS_ALL, NOW);
    }
    assert_int_equal(acks_unwritten(acks), 1);
    assert_int_equal(peer.fates[1], UNTOLD);

    settle(acks, 1, WEIR_OUTCOME_DONE);
    flush(acks, &peer, ACKS_ALL, NOW);
    assert_int_equal(acks_unwritten(acks), 0);
}

/* One order and one choice of outcomes and flushes. */
static void play(const unsigned *order, unsigned outcomes, unsigned flushes)
{
    struct acks *acks = acks_create(TAGS);
    struct peer peer = {.room = 100};
    enum weir_outcome chosen[TAGS];

    begin(acks, &peer, TAGS);
    for (unsigned i = 0; i < TAGS; i++) {
        chosen[i] = (enum weir_outcome)(outcomes % WEIR_OUTCOME_COUNT);
        outcomes /= WEIR_OUTCOME_COUNT;
    }
    for (unsigned i = 0; i < TAGS; i++) {
        settle(acks, order[i] + 1, chosen[order[i]]);
        flush(acks, &peer, flushes & (1U << i) ? ACKS_ALL : ACKS_DUE, NOW);
        for (unsigned j = i + 1; j < TAGS; j++)
            assert_int_equal(peer.fates[order[j] + 1], UNTOLD);
    }
    flush(acks, &peer, ACKS_ALL, NOW);
    for (unsigned i = 0; i < TAGS; i++) {
        static const enum fate expected[WEIR_OUTCOME_COUNT] = {
            [WEIR_OUTCOME_DONE] = ACKED,
            [WEIR_OUTCOME_DISCARD] = REJECTED,
            [WEIR_OUTCOME_REQUEUE] = REQUEUED,
            [WEIR_OUTCOME_LEAVE] = UNTOLD};

        assert_int_equal(peer.fates[i + 1], expected[chosen[i]]);
    }
    acks_destroy(acks);
}

static void play_all_choices(const unsigned *order)
{
    for (unsigned outcomes = 0; outcomes < 4096; outcomes += 7)
        play(order, outcomes, outcomes);
}

static void permute(unsigned *order, unsigned fixed)
{
    if (fixed == TAGS)
        play_all_choices(order);
    for (unsigned i = fixed; i < TAGS; i++) {
        const unsigned swapped = order[fixed];

        order[fixed] = order[i];
        order[i] = swapped;
        permute(order, fixed + 1);
        order[i] = order[fixed];
        order[fixed] = swapped;
    }
}

static void in_every_order_each_message_gets_its_own_outcome(void **state)
{
    unsigned order[TAGS];

    (void)state;
    for (unsigned i = 0; i < TAGS; i++)
        order[i] = i;
    permute(order, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_of_done_messages_is_one_frame),
        TEST(a_short_run_waits_for_five_milliseconds),
        TEST(a_done_message_behind_a_hole_is_acknowledged_alone),
        TEST(a_message_that_is_left_blocks_multiple_for_ever),
        TEST(a_full_socket_loses_no_frame),
        TEST(a_broker_that_breaks_the_prefetch_is_refused),
        TEST(a_message_near_its_limit_is_rejected_instead_of_requeued),
        TEST(what_nobody_handled_is_requeued_but_never_lost),
        TEST(one_stuck_message_does_not_hold_memory),
        TEST(in_every_order_each_message_gets_its_own_outcome),
    };
    return cmocka_run_group_tests_name("amqp_acks", tests, NULL, NULL);
}
