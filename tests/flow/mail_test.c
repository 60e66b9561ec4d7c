/*
 * mail_test.c - lists of letters, and what they count.
 */
#include "test.h"

#include "mail.h"

static struct mail letter(uint32_t count, size_t size)
{
    return (struct mail){.count = count, .size = size};
}

static void expect_empty(const struct mail_list *list)
{
    assert_null(list->head);
    assert_ptr_equal(list->tail, &list->head);
    assert_int_equal(list->count, 0);
    assert_int_equal(list->size, 0);
}

static void an_empty_list_gives_nothing(void **state)
{
    struct mail_list list;

    (void)state;
    mail_list_init(&list);
    expect_empty(&list);
    assert_null(mail_list_pop(&list));
    expect_empty(&list);
}

static void letters_come_out_in_their_order(void **state)
{
    struct mail a = letter(1, 10), b = letter(64, 20), c = letter(2, 30);
    struct mail_list list;

    (void)state;
    mail_list_init(&list);
    mail_list_add(&list, &a);
    mail_list_add(&list, &b);
    mail_list_add(&list, &c);
    assert_int_equal(list.count, 67);
    assert_int_equal(list.size, 60);
    assert_ptr_equal(mail_list_pop(&list), &a);
    assert_int_equal(list.count, 66);
    assert_int_equal(list.size, 50);
    assert_ptr_equal(mail_list_pop(&list), &b);
    assert_ptr_equal(mail_list_pop(&list), &c);
    expect_empty(&list);
}

static void a_popped_letter_points_to_no_other(void **state)
{
    struct mail a = letter(1, 1), b = letter(1, 1);
    struct mail_list list;

    (void)state;
    mail_list_init(&list);
    mail_list_add(&list, &a);
    mail_list_add(&list, &b);
    assert_ptr_equal(mail_list_pop(&list), &a);
    assert_null(a.next);
}

static void a_pushed_letter_comes_out_first(void **state)
{
    struct mail a = letter(1, 10), b = letter(2, 20), c = letter(3, 30);
    struct mail_list list;

    (void)state;
    mail_list_init(&list);
    mail_list_push(&list, &b); /* into an empty list */
    mail_list_push(&list, &a);
    mail_list_add(&list, &c); /* the tail is still right */
    assert_int_equal(list.count, 6);
    assert_int_equal(list.size, 60);
    assert_ptr_equal(mail_list_pop(&list), &a);
    assert_ptr_equal(mail_list_pop(&list), &b);
    assert_ptr_equal(mail_list_pop(&list), &c);
    expect_empty(&list);
}

static void a_joined_list_is_empty_and_the_other_has_both(void **state)
{
    struct mail a = letter(1, 10), b = letter(2, 20), c = letter(3, 30);
    struct mail_list list, from;

    (void)state;
    mail_list_init(&list);
    mail_list_init(&from);
    mail_list_add(&from, &a);
    mail_list_join(&list, &from); /* onto an empty list */
    expect_empty(&from);
    mail_list_add(&from, &b);
    mail_list_add(&from, &c);
    mail_list_join(&list, &from);
    expect_empty(&from);
    mail_list_join(&list, &from); /* of nothing */
    assert_int_equal(list.count, 6);
    assert_int_equal(list.size, 60);
    assert_ptr_equal(mail_list_pop(&list), &a);
    assert_ptr_equal(mail_list_pop(&list), &b);
    assert_ptr_equal(mail_list_pop(&list), &c);
}

static void an_emptied_list_can_be_filled_again(void **state)
{
    struct mail a = letter(1, 10);
    struct mail_list list;

    (void)state;
    mail_list_init(&list);
    for (int i = 0; i < 3; i++) {
        mail_list_add(&list, &a);
        assert_ptr_equal(mail_list_pop(&list), &a);
        expect_empty(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_list_gives_nothing),
        cmocka_unit_test(letters_come_out_in_their_order),
        cmocka_unit_test(a_popped_letter_points_to_no_other),
        cmocka_unit_test(a_pushed_letter_comes_out_first),
        cmocka_unit_test(a_joined_list_is_empty_and_the_other_has_both),
        cmocka_unit_test(an_emptied_list_can_be_filled_again),
    };

    return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
