/*
 * guests_test.c - who may stay connected, and who is cut.
 */
#include "test.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guests.h"

#define SECOND_US INT64_C(1000000)

static struct guests guests;
static int ends[GUESTS_MAX][2];

static int setup(void **state)
{
    guests = (struct guests){0};
    for (unsigned i = 0; i < GUESTS_MAX; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]) != 0)
            return -1;
    }
    *state = &guests;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < GUESTS_MAX; i++) {
        (void)close(ends[i][0]);
        (void)close(ends[i][1]);
    }
    return 0;
}

/* Its peer finds the connection at its end. */
static bool is_cut(unsigned index)
{
    char byte;

    return recv(ends[index][1], &byte, 1, MSG_DONTWAIT) == 0;
}

static void whoever_takes_too_long_is_cut(void **state)
{
    (void)state;
    assert_non_null(guest_come(&guests, ends[0][0], SECOND_US));
    guests_trim(&guests, 11 * SECOND_US);
    assert_false(is_cut(0));
    guests_trim(&guests, 11 * SECOND_US + 1);
    assert_true(is_cut(0));
}

static void an_answer_begins_a_new_time(void **state)
{
    struct guest *guest = guest_come(&guests, ends[0][0], 0);

    (void)state;
    assert_true(guest_answered(guest, 9 * SECOND_US));
    guests_trim(&guests, 18 * SECOND_US);
    assert_false(is_cut(0));
}

static void where_too_many_are_who_has_come_now_stays(void **state)
{
    (void)state;
    for (unsigned i = 0; i < GUESTS_STAY + 2; i++)
        assert_non_null(guest_come(&guests, ends[i][0], (int64_t)i));
    guests_trim(&guests, SECOND_US);
    assert_true(is_cut(0));
    assert_true(is_cut(1));
    assert_false(is_cut(2));
    assert_false(is_cut(GUESTS_STAY + 1));
    guests_trim(&guests, SECOND_US); /* those that were cut count no more */
    assert_false(is_cut(2));
}

/* Who asks all the time was always answered just now. */
static void where_too_many_are_those_go_first_that_had_an_answer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < GUESTS_STAY + 2; i++)
        assert_non_null(guest_come(&guests, ends[i][0], (int64_t)i));
    (void)guest_answered(&guests.list[7], SECOND_US);
    (void)guest_answered(&guests.list[8], SECOND_US + 1);
    (void)guest_answered(&guests.list[9], SECOND_US + 2);
    guests_trim(&guests, SECOND_US + 3);
    assert_true(is_cut(7));
    assert_true(is_cut(8));
    assert_false(is_cut(9));
    assert_false(is_cut(0));
}

static void a_place_that_was_left_is_given_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < GUESTS_MAX; i++)
        assert_non_null(guest_come(&guests, ends[i][0], 0));
    assert_null(guest_come(&guests, -1, 0));
    guest_go(&guests.list[7]);
    assert_ptr_equal(guest_come(&guests, ends[7][0], 0), &guests.list[7]);
}

static void nobody_may_ask_for_ever(void **state)
{
    struct guest *guest = guest_come(&guests, ends[0][0], 0);

    (void)state;
    for (unsigned i = 1; i < GUEST_REQUESTS; i++)
        assert_true(guest_answered(guest, 0));
    assert_false(guest_answered(guest, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whoever_takes_too_long_is_cut),
        TEST(an_answer_begins_a_new_time),
        TEST(where_too_many_are_who_has_come_now_stays),
        TEST(where_too_many_are_those_go_first_that_had_an_answer),
        TEST(a_place_that_was_left_is_given_again),
        TEST(nobody_may_ask_for_ever),
    };

    return cmocka_run_group_tests_name("guests", tests, NULL, NULL);
}
