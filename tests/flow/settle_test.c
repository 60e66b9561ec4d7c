/*
 * settle_test.c - the way back: runs of neighbours, each message once.
 */
#include "test.h"

#include "rig.h"
#include "span.h"

static int setup(void **state)
{
    *state = rig_create_limited(WEIR_ORDERING_NONE,
                                &(struct ready_limits){.workers = 1,
                                                       .max_demand = 1024,
                                                       .min_demand = 512});
    rig_begin(*state, 0);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

static void take_many(struct rig *rig, struct hand *hand, uint32_t count)
{
    struct mail_list back;

    rig_offer(rig, 0, count);
    rig_take(rig, hand, count);
    mail_list_init(&back);
    ready_finish(rig->ready, hand, &back, 0);
}

static unsigned letters(const struct mail_list *list)
{
    unsigned count = 0;

    for (const struct mail *mail = list->head; mail; mail = mail->next)
        count++;
    return count;
}

/* ---- settlements ---- */

static void neighbours_that_ended_alike_leave_as_one_letter(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    take_many(rig, &hand, 10);
    for (int i = 0; i < 10; i++)
        settle(&rig->settler, hand.messages[i],
               i == 4 ? ENDING_DISCARDED : ENDING_DONE);
    assert_int_equal(letters(&rig->settler.lists[0]), 3);
    assert_int_equal(rig->settler.lists[0].count, 10);
    settler_flush(&rig->settler);
    assert_null(rig->settler.lists[0].head);
    assert_int_equal(mailbox_count(&rig->intake.box), 10);
    rig_serve(rig);
    assert_int_equal(rig->told_count, 3);
}

static void settlements_against_the_order_are_letters_of_their_own(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    take_many(rig, &hand, 5);
    for (int i = 4; i >= 0; i--)
        settle(&rig->settler, hand.messages[i], ENDING_DONE);
    assert_int_equal(letters(&rig->settler.lists[0]), 5);
    settler_flush(&rig->settler);
    rig_serve(rig);
    assert_int_equal(rig_told(rig, 0, WEIR_OUTCOME_DONE), 5);
}

static void a_run_does_not_grow_after_it_was_sent(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    take_many(rig, &hand, 2);
    settle(&rig->settler, hand.messages[0], ENDING_DONE);
    settler_flush(&rig->settler);
    settle(&rig->settler, hand.messages[1], ENDING_DONE);
    assert_int_equal(mailbox_count(&rig->intake.box), 1);
    rig_serve(rig);
    assert_int_equal(rig_told(rig, 0, WEIR_OUTCOME_DONE), 1);
    settler_flush(&rig->settler);
    rig_serve(rig);
    assert_int_equal(rig_told(rig, 0, WEIR_OUTCOME_DONE), 2);
}

static void a_moved_message_is_told_once_by_its_copy(void **state)
{
    struct rig *rig = *state;
    struct weir_message *copy;
    struct hand hand;

    take_many(rig, &hand, 2);
    copy = message_move(&rig->run, hand.messages[0], false);
    assert_non_null(copy);
    settle(&rig->settler, hand.messages[0], ENDING_MOVED);
    settle(&rig->settler, hand.messages[1], ENDING_DONE);
    settler_flush(&rig->settler);
    rig_serve(rig);
    assert_int_equal(rig_told(rig, 0, WEIR_OUTCOME_DONE), 1);
    assert_int_equal(rig_ledger(rig).in_flight, 1);
    settle(&rig->settler, copy, ENDING_DONE);
    settler_flush(&rig->settler);
    rig_serve(rig);
    assert_int_equal(rig_told(rig, 0, WEIR_OUTCOME_DONE), 2);
}

static struct weir_message *make_ghost(struct rig *rig)
{
    struct weir_message *ghost;
    struct hand hand;

    take_many(rig, &hand, 1);
    ghost = message_move(&rig->run, hand.messages[0], true);
    assert_non_null(ghost);
    ghost->is_ghost = true;
    atomic_fetch_add(&ghost->epoch->ghosts, 1);
    settle(&rig->settler, hand.messages[0], ENDING_DONE);
    return ghost;
}

static void a_ghost_that_fails_is_only_counted(void **state)
{
    struct rig *rig = *state;

    settle(&rig->settler, make_ghost(rig), ENDING_DISCARDED);
    settle(&rig->settler, make_ghost(rig), ENDING_DONE);
    settler_flush(&rig->settler);
    rig_serve(rig);
    assert_int_equal(counter_get(&rig->run.counters.failed_after_settle), 1);
    assert_int_equal(rig_ledger(rig).received, 2);
    assert_int_equal(rig_ledger(rig).done, 2);
    assert_int_equal(rig->intake.epochs[0]->ghosts, 0);
}

static void a_ghost_that_moves_again_stays_one(void **state)
{
    struct rig *rig = *state;
    struct weir_message *ghost = make_ghost(rig), *copy;

    copy = message_move(&rig->run, ghost, true);
    assert_non_null(copy);
    settle(&rig->settler, ghost, ENDING_MOVED);
    settler_flush(&rig->settler);
    rig_serve(rig);
    assert_int_equal(rig->intake.epochs[0]->ghosts, 1);
    settle(&rig->settler, copy, ENDING_DONE);
    settler_flush(&rig->settler);
    rig_serve(rig);
    assert_int_equal(rig->intake.epochs[0]->ghosts, 0);
    assert_int_equal(rig_ledger(rig).done, 1);
}

static void messages_go_home_to_the_producer_they_are_of(void **state)
{
    struct rig *rig = *state;
    struct mailbox other;
    struct chunk *chunk;
    struct weir_message *msg;
    struct mail_list back;
    const struct weir_record record = {.payload = {"x", 1}};

    mailbox_init(&other, 0, 0, 0);
    rig->run.home_count = 2;
    rig->run.homes[1] = &other;
    chunk = chunk_create(&rig->run, 1, 1, record_size(&record));
    assert_non_null(chunk);
    msg = chunk_add(chunk, &record, record_size(&record));
    assert_non_null(msg);
    assert_null(chunk_add(chunk, &record, record_size(&record)));
    settle(&rig->settler, msg, ENDING_DONE);
    settler_flush(&rig->settler);
    assert_int_equal(mailbox_count(&rig->intake.box), 0);
    assert_int_equal(mailbox_count(&other), 1);
    mail_list_init(&back);
    mailbox_take_all(&other, &back);
    chunk_destroy(&rig->run, chunk);
    mailbox_finish(&other);
    rig->run.home_count = 1;
}

/* ---- spans ---- */

static void neighbours_join_into_one_span(void **state)
{
    struct rig *rig = *state;
    struct mail_list list;
    struct weir_message *last = NULL;
    struct hand hand;

    take_many(rig, &hand, 6);
    mail_list_init(&list);
    for (int i = 0; i < 6; i++) {
        if (i != 3)
            span_add(&list, &last, hand.messages[i]);
    }
    assert_int_equal(letters(&list), 2);
    assert_int_equal(list.count, 5);
    assert_int_equal(list.head->count, 3);
    assert_int_equal(list.size, 5 * hand.messages[0]->record->size);
    settle(&rig->settler, hand.messages[3], ENDING_LEFT);
    rig_leave(rig, &list);
}

static void a_span_is_split_anywhere_inside(void **state)
{
    struct rig *rig = *state;
    struct hand hand;

    take_many(rig, &hand, 8);
    for (uint32_t at = 1; at < 8; at++) {
        struct mail_list list;
        struct weir_message *last = NULL, *rest;
        const size_t size = hand.messages[0]->record->size;

        mail_list_init(&list);
        for (int i = 0; i < 8; i++)
            span_add(&list, &last, hand.messages[i]);
        rest = span_split(hand.messages[0], at);
        assert_ptr_equal(rest, hand.messages[at]);
        assert_int_equal(hand.messages[0]->mail.count, at);
        assert_int_equal(hand.messages[0]->mail.size, at * size);
        assert_int_equal(rest->mail.count, 8 - at);
        assert_int_equal(rest->mail.size, (8 - at) * size);
        assert_null(span_split(rest, 8 - at)); /* nothing would be left */
        assert_null(span_split(rest, 100));
    }
    for (int i = 0; i < 8; i++)
        settle(&rig->settler, hand.messages[i], ENDING_DONE);
}

static bool is_third(const struct weir_message *msg, const void *opaque)
{
    return msg->ticket % 3 == *(const uint64_t *)opaque;
}

static void sifted_spans_keep_their_neighbours_together(void **state)
{
    static const uint64_t which = 1;
    struct rig *rig = *state;
    struct mail_list from, taken;
    struct weir_message *last = NULL;
    struct hand hand;

    take_many(rig, &hand, 9);
    mail_list_init(&from);
    mail_list_init(&taken);
    for (int i = 0; i < 9; i++)
        span_add(&from, &last, hand.messages[i]);
    span_sift(&from, is_third, &which, &taken);
    assert_int_equal(taken.count, 3);
    assert_int_equal(letters(&taken), 3);
    assert_int_equal(from.count, 6);
    assert_int_equal(letters(&from), 4); /* 0, 2 3, 5 6, 8 */
    rig_leave(rig, &taken);
    rig_leave(rig, &from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(neighbours_that_ended_alike_leave_as_one_letter),
        TEST(settlements_against_the_order_are_letters_of_their_own),
        TEST(a_run_does_not_grow_after_it_was_sent),
        TEST(a_moved_message_is_told_once_by_its_copy),
        TEST(a_ghost_that_fails_is_only_counted),
        TEST(a_ghost_that_moves_again_stays_one),
        TEST(messages_go_home_to_the_producer_they_are_of),
        TEST(neighbours_join_into_one_span),
        TEST(a_span_is_split_anywhere_inside),
        TEST(sifted_spans_keep_their_neighbours_together),
    };

    return cmocka_run_group_tests_name("settle", tests, NULL, NULL);
}
