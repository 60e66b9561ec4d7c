/*
 * pace_test.c - messages gather where many come, and only there.
 */
#include "test.h"

#include "pace.h"

enum { GATHER = 12, SECOND = 1000 * 1000, LONGEST = 500 };

/* Reads `count` messages every `every_us`, for a while; returns the last nap
 * and moves the clock on. */
static int64_t run(struct pace *pace, unsigned count, int64_t every_us,
                   int64_t *now_us)
{
    int64_t nap_us = 0;

    for (int i = 0; i < 200; i++) {
        *now_us += every_us;
        pace_count(pace, count);
        nap_us = pace_nap_us(pace, GATHER, *now_us);
    }
    return nap_us;
}

static void a_slow_stream_is_read_as_it_comes(void **state)
{
    struct pace pace = {0};
    int64_t now_us = SECOND;

    (void)state;
    assert_int_equal(run(&pace, 1, SECOND / 100, &now_us), 0);
    assert_int_equal(run(&pace, 1, SECOND / 10000, &now_us), 0);
    assert_int_equal(run(&pace, 100, SECOND / 100, &now_us), 0);
}

static void a_fast_stream_gathers_as_many_as_are_worth_it(void **state)
{
    struct pace pace = {0};
    int64_t now_us = SECOND;

    (void)state;
    assert_in_range(run(&pace, 10, 100, &now_us), 115, 125);
    assert_in_range(run(&pace, 10, 50, &now_us), 55, 65);
}

static void a_nap_has_a_limit(void **state)
{
    struct pace pace = {0};
    int64_t now_us = SECOND;

    (void)state;
    assert_int_equal(run(&pace, 21, 1000, &now_us), LONGEST);
}

static void a_nap_shorter_than_a_wake_up_is_none(void **state)
{
    struct pace pace = {0};
    int64_t now_us = SECOND;

    (void)state;
    assert_int_equal(run(&pace, 100, 100, &now_us), 0);
}

static void a_stream_that_ends_has_one_nap_left(void **state)
{
    struct pace pace = {0};
    int64_t now_us = SECOND;

    (void)state;
    assert_true(run(&pace, 10, 100, &now_us) > 0);
    assert_int_equal(pace_nap_us(&pace, GATHER, now_us + 10), 0);
    pace_count(&pace, 1);
    assert_int_equal(pace_nap_us(&pace, GATHER, now_us + SECOND), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(a_slow_stream_is_read_as_it_comes),
        TEST_ALONE(a_fast_stream_gathers_as_many_as_are_worth_it),
        TEST_ALONE(a_nap_has_a_limit),
        TEST_ALONE(a_nap_shorter_than_a_wake_up_is_none),
        TEST_ALONE(a_stream_that_ends_has_one_nap_left),
    };
    return cmocka_run_group_tests_name("amqp_pace", tests, NULL, NULL);
}
