/*
 * clock_test.c - deadlines on a clock that the test moves.
 */
#include "test.h"

#include "clock.h"

struct fake_clock {
    clockid_t asked;
    struct timespec now;
};

static struct fake_clock *fake;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    fake->asked = clock;
    *ret_now = fake->now;
    return 0;
}

static int setup(void **state)
{
    static struct fake_clock at_ten;

    at_ten = (struct fake_clock){.now = {.tv_sec = 10, .tv_nsec = 1999}};
    fake = &at_ten;
    *state = fake;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake = NULL;
    return 0;
}

static void the_clock_is_the_monotonic_one_in_microseconds(void **state)
{
    struct fake_clock *clock = *state;

    assert_true(clock_now_us() == 10 * CLOCK_SECOND_US + 1);
    assert_int_equal(clock->asked, CLOCK_MONOTONIC);
}

static void a_span_without_end_never_comes(void **state)
{
    (void)state;
    assert_true(clock_after_us(5) == 10 * CLOCK_SECOND_US + 6);
    assert_true(clock_after_us(CLOCK_NEVER_US) == CLOCK_NEVER_US);
    assert_true(clock_after_us(CLOCK_NEVER_US - 1) == CLOCK_NEVER_US);
}

static void a_wait_is_rounded_up_so_that_it_does_not_end_early(void **state)
{
    const int64_t now = clock_now_us();

    (void)state;
    assert_int_equal(clock_until_ms(now + 1, 1000), 1);
    assert_int_equal(clock_until_ms(now + 2500, 1000), 3);
}

static void a_wait_is_never_negative_and_never_above_its_ceiling(void **state)
{
    const int64_t now = clock_now_us();

    (void)state;
    assert_int_equal(clock_until_ms(now, 1000), 0);
    assert_int_equal(clock_until_ms(now - 1, 1000), 0);
    assert_int_equal(clock_until_ms(INT64_MIN, 1000), 0);
    assert_int_equal(clock_until_ms(now + 5 * CLOCK_SECOND_US, 1000), 1000);
    assert_int_equal(clock_until_ms(CLOCK_NEVER_US, 1000), 1000);
}

static void a_deadline_becomes_seconds_and_nanoseconds(void **state)
{
    const struct timespec when = clock_timespec(3 * CLOCK_SECOND_US + 42);

    (void)state;
    assert_int_equal(when.tv_sec, 3);
    assert_int_equal(when.tv_nsec, 42000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_clock_is_the_monotonic_one_in_microseconds),
        TEST(a_span_without_end_never_comes),
        TEST(a_wait_is_rounded_up_so_that_it_does_not_end_early),
        TEST(a_wait_is_never_negative_and_never_above_its_ceiling),
        TEST(a_deadline_becomes_seconds_and_nanoseconds),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
