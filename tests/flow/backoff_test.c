/*
 * backoff_test.c - waits that grow, spread, and are damped.
 *
 * The clock is moved by hand.
 */
#include "test.h"

#include "backoff.h"
#include "clock.h"

enum { TRIES = 500 };

int64_t __wrap_clock_now_us(void);

static int64_t now_us;

int64_t __wrap_clock_now_us(void)
{
    return now_us++; /* two tries are never at the same time */
}

static int setup(void **state)
{
    (void)state;
    now_us = 1000 * CLOCK_SECOND_US;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return 0;
}

static int64_t largest(int64_t min_us, int64_t max_us, uint32_t attempt)
{
    int64_t most = 0;

    for (int i = 0; i < TRIES; i++) {
        const int64_t delay = backoff_us(min_us, max_us, attempt);

        assert_true(delay >= 0);
        most = delay > most ? delay : most;
    }
    return most;
}

static void the_ceiling_doubles_with_each_attempt_up_to_the_maximum(
    void **state)
{
    (void)state;
    for (uint32_t attempt = 1; attempt <= 10; attempt++) {
        const int64_t ceiling = INT64_C(1000) << (attempt - 1);
        const int64_t most = largest(1000, 30000, attempt);

        assert_true(most <= (ceiling < 30000 ? ceiling : 30000));
        /* 500 tries that all miss the upper tenth: once in 10^22. */
        assert_true(most > (ceiling < 30000 ? ceiling : 30000) * 9 / 10);
    }
}

static void the_jitter_is_full(void **state)
{
    int tenths[10] = {0};

    (void)state;
    for (int i = 0; i < TRIES; i++)
        tenths[backoff_us(1000, 1000, 1) * 10 / 1001]++;
    for (int i = 0; i < 10; i++)
        assert_true(tenths[i] > 0);
}

static void extremes_are_no_trouble(void **state)
{
    (void)state;
    assert_int_equal(backoff_us(0, 0, 1), 0);
    assert_int_equal(backoff_us(0, 1000, UINT32_MAX), 0);
    assert_true(backoff_us(1000, 10, 1) <= 10);
    assert_true(backoff_us(1, CLOCK_NEVER_US / 2, UINT32_MAX) >= 0);
    assert_true(backoff_us(1000, 2000, 0) <= 1000);
}

static void a_reconnect_waits_between_100_ms_and_3_s(void **state)
{
    int64_t most = 0;

    (void)state;
    for (int i = 0; i < TRIES; i++) {
        struct reconnect reconnect = {.attempt = UINT32_MAX - 1};
        const int64_t delay = reconnect_delay_us(&reconnect);

        assert_true(delay >= INT64_C(100000));
        assert_true(delay <= 3 * CLOCK_SECOND_US);
        most = delay > most ? delay : most;
        assert_true(reconnect_delay_us(&reconnect) >= INT64_C(100000));
        assert_int_equal(reconnect.attempt, UINT32_MAX);
    }
    assert_true(most > 2 * CLOCK_SECOND_US);
}

static void the_first_reconnect_comes_soon(void **state)
{
    (void)state;
    for (int i = 0; i < TRIES; i++) {
        struct reconnect reconnect = {0};

        assert_true(reconnect_delay_us(&reconnect) <= INT64_C(200000));
    }
}

static void a_connection_that_flaps_is_damped(void **state)
{
    struct reconnect reconnect = {0};

    (void)state;
    for (uint32_t i = 1; i <= 10; i++) {
        reconnect_opened(&reconnect);
        now_us += 29 * CLOCK_SECOND_US;
        (void)reconnect_delay_us(&reconnect);
        assert_int_equal(reconnect.attempt, i);
    }
}

static void a_connection_that_held_starts_anew(void **state)
{
    struct reconnect reconnect = {.attempt = 9};

    (void)state;
    reconnect_opened(&reconnect);
    now_us += 31 * CLOCK_SECOND_US;
    assert_true(reconnect_delay_us(&reconnect) <= INT64_C(200000));
    assert_int_equal(reconnect.attempt, 1);
}

static void a_failed_connect_after_a_good_one_is_not_taken_for_one_that_held(
    void **state)
{
    struct reconnect reconnect = {0};

    (void)state;
    reconnect_opened(&reconnect);
    now_us += 31 * CLOCK_SECOND_US;
    (void)reconnect_delay_us(&reconnect);
    now_us += 31 * CLOCK_SECOND_US; /* a connect that took long to fail */
    (void)reconnect_delay_us(&reconnect);
    assert_int_equal(reconnect.attempt, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_ceiling_doubles_with_each_attempt_up_to_the_maximum),
        TEST(the_jitter_is_full),
        TEST(extremes_are_no_trouble),
        TEST(a_reconnect_waits_between_100_ms_and_3_s),
        TEST(the_first_reconnect_comes_soon),
        TEST(a_connection_that_flaps_is_damped),
        TEST(a_connection_that_held_starts_anew),
        TEST(a_failed_connect_after_a_good_one_is_not_taken_for_one_that_held),
    };

    return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
