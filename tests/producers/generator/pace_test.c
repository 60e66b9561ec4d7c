/*
 * pace_test.c - the generator's schedule, on a clock moved by hand.
 */
#include "test.h"

#include "pace.h"

#define SECOND_US INT64_C(1000000)

static void without_a_rate_everything_is_due(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, 0, 0, 1, 0);
    assert_int_equal(pace_due(&pace, 64, 0), 64);
    pace_take(&pace, 64);
    assert_int_equal(pace_due(&pace, 64, 0), 64);
}

static void each_message_has_its_own_time(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, 10, 0, 1, 0);
    assert_int_equal(pace_due(&pace, 64, 0), 1);
    pace_take(&pace, 1);
    assert_int_equal(pace_due(&pace, 64, 99999), 0);
    assert_int_equal(pace_next_us(&pace), 100000);
    assert_int_equal(pace_due(&pace, 64, 100000), 1);
}

static void a_late_wake_up_makes_up_for_what_was_missed(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, 10, 0, 1, 0);
    assert_int_equal(pace_due(&pace, 64, 350000), 4);
    assert_int_equal(pace_due(&pace, 2, 350000), 2);
}

static void a_long_standstill_is_made_up_for_by_one_second(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, 10, 0, 1, 0);
    assert_int_equal(pace_due(&pace, 1000, 60 * SECOND_US), 11);
}

static void the_rate_is_exact_over_an_hour(void **state)
{
    struct pace pace;
    uint64_t taken = 0;

    (void)state;
    pace_init(&pace, 7, 0, 1, 0);
    for (int64_t now_us = 0; now_us < 3600 * SECOND_US; now_us += 10007) {
        const unsigned due = pace_due(&pace, 64, now_us);

        pace_take(&pace, due);
        taken += due;
    }
    assert_int_equal(taken, 7 * 3600);
}

static void members_share_the_rate_and_take_turns(void **state)
{
    struct pace first, second;

    (void)state;
    pace_init(&first, 10, 0, 2, 0);
    pace_init(&second, 10, 1, 2, 0);
    assert_int_equal(pace_next_us(&first), 0);
    assert_int_equal(pace_next_us(&second), 100000);
    pace_take(&first, 1);
    assert_int_equal(pace_next_us(&first), 200000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(without_a_rate_everything_is_due),
        TEST_ALONE(each_message_has_its_own_time),
        TEST_ALONE(a_late_wake_up_makes_up_for_what_was_missed),
        TEST_ALONE(a_long_standstill_is_made_up_for_by_one_second),
        TEST_ALONE(the_rate_is_exact_over_an_hour),
        TEST_ALONE(members_share_the_rate_and_take_turns),
    };

    return cmocka_run_group_tests_name("generator_pace", tests, NULL, NULL);
}
