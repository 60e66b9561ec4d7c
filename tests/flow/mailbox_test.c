/*
 * mailbox_test.c - letters arrive, limits hold, and who said that it sleeps
 * elsewhere is called.
 */
#include "test.h"

#include "mailbox_fixture.h"

static enum weir_status offer_one(struct mailbox *box, struct mail *mail)
{
    struct mail_list list;
    enum weir_status status;

    mail_list_init(&list);
    mail_list_add(&list, mail);
    status = mailbox_offer(box, &list);
    assert_int_equal(list.head == NULL, status == WEIR_OK);
    return status;
}

/* ---- contents ---- */

static void letters_are_taken_in_their_order(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 4; i++)
        post_one(&fixture->box, &fixture->letters[i]);
    assert_int_equal(mailbox_count(&fixture->box), 4);
    assert_ptr_equal(mailbox_take(&fixture->box), &fixture->letters[0]);
    mailbox_take_all(&fixture->box, &fixture->list);
    for (int i = 1; i < 4; i++)
        assert_ptr_equal(mail_list_pop(&fixture->list), &fixture->letters[i]);
    assert_null(mailbox_take(&fixture->box));
    assert_int_equal(mailbox_count(&fixture->box), 0);
}

static void what_is_taken_goes_behind_what_the_taker_has(void **state)
{
    struct fixture *fixture = *state;

    mail_list_add(&fixture->list, &fixture->letters[0]);
    post_one(&fixture->box, &fixture->letters[1]);
    mailbox_take_all(&fixture->box, &fixture->list);
    assert_ptr_equal(mail_list_pop(&fixture->list), &fixture->letters[0]);
    assert_ptr_equal(mail_list_pop(&fixture->list), &fixture->letters[1]);
}

static bool is_large(const struct mail *mail, const void *opaque)
{
    (void)opaque;
    return mail->count > 1;
}

static void a_sift_takes_the_chosen_and_keeps_the_order_of_the_rest(
    void **state)
{
    struct fixture *fixture = *state;

    fixture->letters[1].count = 2;
    fixture->letters[3].count = 3;
    for (int i = 0; i < 5; i++)
        post_one(&fixture->box, &fixture->letters[i]);
    mailbox_sift(&fixture->box, is_large, NULL, &fixture->list);
    assert_int_equal(fixture->list.count, 5);
    assert_ptr_equal(mail_list_pop(&fixture->list), &fixture->letters[1]);
    assert_ptr_equal(mail_list_pop(&fixture->list), &fixture->letters[3]);
    assert_int_equal(mailbox_count(&fixture->box), 3);
    for (int i = 0; i < 5; i += 2)
        assert_ptr_equal(mailbox_take(&fixture->box), &fixture->letters[i]);
}

/* ---- limits ---- */

static void a_box_has_room_for_so_many_letters(void **state)
{
    struct fixture *fixture = *state;

    set_limits(fixture, 2, 0, 0);
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[0]), WEIR_OK);
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[1]), WEIR_OK);
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[2]),
                     WEIR_AGAIN);
    (void)mailbox_take(&fixture->box);
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[2]), WEIR_OK);
}

static void a_box_has_room_for_so_many_messages(void **state)
{
    struct fixture *fixture = *state;

    set_limits(fixture, 0, 64, 0);
    fixture->letters[0].count = 60;
    fixture->letters[1].count = 5;
    fixture->letters[2].count = 4;
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[0]), WEIR_OK);
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[1]),
                     WEIR_AGAIN);
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[2]), WEIR_OK);
}

static void a_box_has_room_for_so_many_bytes(void **state)
{
    struct fixture *fixture = *state;

    set_limits(fixture, 0, 0, 20);
    fixture->letters[1].size = 11;
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[0]), WEIR_OK);
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[1]),
                     WEIR_AGAIN);
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[2]), WEIR_OK);
}

static void several_letters_are_taken_together_or_not_at_all(void **state)
{
    struct fixture *fixture = *state;

    set_limits(fixture, 3, 0, 0);
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[0]), WEIR_OK);
    for (int i = 1; i < 4; i++)
        mail_list_add(&fixture->list, &fixture->letters[i]);
    assert_int_equal(mailbox_offer(&fixture->box, &fixture->list), WEIR_AGAIN);
    assert_int_equal(fixture->list.count, 3);
    assert_int_equal(mailbox_count(&fixture->box), 1);
}

static void an_empty_box_takes_anything(void **state)
{
    struct fixture *fixture = *state;

    set_limits(fixture, 1, 1, 1);
    fixture->letters[0].count = 1000;
    fixture->letters[0].size = 1 << 20;
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[0]), WEIR_OK);
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[1]),
                     WEIR_AGAIN);
    (void)mailbox_take(&fixture->box);
    assert_int_equal(offer_one(&fixture->box, &fixture->letters[1]), WEIR_OK);
}

static void a_post_goes_past_every_limit(void **state)
{
    struct fixture *fixture = *state;

    set_limits(fixture, 1, 1, 1);
    for (int i = 0; i < 4; i++)
        post_one(&fixture->box, &fixture->letters[i]);
    assert_int_equal(mailbox_count(&fixture->box), 4);
}

/* ---- sleep elsewhere ---- */

static void arming_with_mail_in_the_box_is_refused(void **state)
{
    struct fixture *fixture = *state;

    post_one(&fixture->box, &fixture->letters[0]);
    assert_false(mailbox_arm(&fixture->box, &fixture->far, 1));
    mailbox_disarm(&fixture->box, &fixture->far);
    assert_int_equal(fixture->wakes, 0);
}

static void arming_after_an_interrupt_is_refused_once(void **state)
{
    struct fixture *fixture = *state;

    mailbox_interrupt(&fixture->box);
    assert_false(mailbox_arm(&fixture->box, &fixture->far, 1));
    mailbox_disarm(&fixture->box, &fixture->far);
    assert_true(mailbox_arm(&fixture->box, &fixture->far, 1));
    mailbox_disarm(&fixture->box, &fixture->far);
}

static void an_armed_waiter_is_called_once_when_enough_came(void **state)
{
    struct fixture *fixture = *state;

    assert_true(mailbox_arm(&fixture->box, &fixture->far, 3));
    post_one(&fixture->box, &fixture->letters[0]);
    post_one(&fixture->box, &fixture->letters[1]);
    assert_int_equal(fixture->wakes, 0);
    post_one(&fixture->box, &fixture->letters[2]);
    assert_int_equal(fixture->wakes, 1);
    post_one(&fixture->box, &fixture->letters[3]);
    assert_int_equal(fixture->wakes, 1);
    mailbox_disarm(&fixture->box, &fixture->far);
}

static void a_disarmed_waiter_is_not_called(void **state)
{
    struct fixture *fixture = *state;

    assert_true(mailbox_arm(&fixture->box, &fixture->far, 1));
    mailbox_disarm(&fixture->box, &fixture->far);
    post_one(&fixture->box, &fixture->letters[0]);
    mailbox_interrupt(&fixture->box);
    assert_int_equal(fixture->wakes, 0);
}

static void an_interrupt_calls_an_armed_waiter_and_ends_no_other_sleep(
    void **state)
{
    struct fixture *fixture = *state;

    assert_true(mailbox_arm(&fixture->box, &fixture->far, 1));
    mailbox_interrupt(&fixture->box);
    assert_int_equal(fixture->wakes, 1);
    mailbox_disarm(&fixture->box, &fixture->far);
    assert_true(mailbox_arm(&fixture->box, &fixture->far, 1));
    mailbox_disarm(&fixture->box, &fixture->far);
}

static void rearm(void *opaque)
{
    struct fixture *fixture = opaque;

    count_wake(fixture);
    if (atomic_load(&fixture->wakes) < 100)
        (void)mailbox_arm(&fixture->box, &fixture->far, 1);
}

/* Else a quick sleeper would keep whoever interrupts it busy for ever. */
static void an_interrupt_wakes_nobody_who_fell_asleep_after_it(void **state)
{
    struct fixture *fixture = *state;

    fixture->far.wake = rearm;
    assert_true(mailbox_arm(&fixture->box, &fixture->far, 1));
    mailbox_interrupt(&fixture->box);
    assert_int_equal(fixture->wakes, 1);
    mailbox_disarm(&fixture->box, &fixture->far);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(letters_are_taken_in_their_order),
        TEST(what_is_taken_goes_behind_what_the_taker_has),
        TEST(a_sift_takes_the_chosen_and_keeps_the_order_of_the_rest),
        TEST(a_box_has_room_for_so_many_letters),
        TEST(a_box_has_room_for_so_many_messages),
        TEST(a_box_has_room_for_so_many_bytes),
        TEST(several_letters_are_taken_together_or_not_at_all),
        TEST(an_empty_box_takes_anything),
        TEST(a_post_goes_past_every_limit),
        TEST(arming_with_mail_in_the_box_is_refused),
        TEST(arming_after_an_interrupt_is_refused_once),
        TEST(an_armed_waiter_is_called_once_when_enough_came),
        TEST(a_disarmed_waiter_is_not_called),
        TEST(an_interrupt_calls_an_armed_waiter_and_ends_no_other_sleep),
        TEST(an_interrupt_wakes_nobody_who_fell_asleep_after_it),
    };

    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
