/*
 * allowance_test.c - how much of a core the admin's thread may use.
 */
#include "test.h"

#include "allowance.h"

static void what_fits_is_not_rested_for(void **state)
{
    struct allowance allowance;

    (void)state;
    allowance_init(&allowance, 0, 0);
    for (int64_t i = 1; i <= 1000; i++)
        assert_int_equal(
            allowance_rest_us(&allowance, i * 1000, i * 1000 / ALLOWANCE_PART),
            0);
}

static void a_burst_is_allowed_and_then_rested_for(void **state)
{
    struct allowance allowance;

    (void)state;
    allowance_init(&allowance, 0, 0);
    assert_int_equal(allowance_rest_us(&allowance, 0, ALLOWANCE_BURST_US), 0);
    assert_int_equal(
        allowance_rest_us(&allowance, 0, ALLOWANCE_BURST_US + 1000),
        INT64_C(1000) * ALLOWANCE_PART);
    assert_int_equal(allowance_rest_us(&allowance,
                                       INT64_C(1000) * ALLOWANCE_PART,
                                       ALLOWANCE_BURST_US + 1000),
                     0);
}

/* Whoever works whenever it may gets its part, however long it lasts. */
static void no_more_than_its_part_is_used_in_the_long_run(void **state)
{
    const int64_t minute_us = 60 * INT64_C(1000) * 1000;
    struct allowance allowance;
    int64_t wall_us = 0, cpu_us = 0;

    (void)state;
    allowance_init(&allowance, 0, 0);
    while (wall_us < minute_us) {
        wall_us += 5000;
        cpu_us += 5000;
        wall_us += allowance_rest_us(&allowance, wall_us, cpu_us);
    }
    assert_in_range(cpu_us, minute_us / ALLOWANCE_PART,
                    minute_us / ALLOWANCE_PART + ALLOWANCE_BURST_US + 5000);
}

static void nothing_is_saved_up_beyond_the_burst(void **state)
{
    const int64_t hour_us = INT64_C(3600) * 1000 * 1000;
    struct allowance allowance;

    (void)state;
    allowance_init(&allowance, 0, 0);
    assert_int_equal(allowance_rest_us(&allowance, hour_us, 0), 0);
    assert_true(allowance_rest_us(&allowance, hour_us, ALLOWANCE_BURST_US + 1) >
                0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(what_fits_is_not_rested_for),
        TEST_ALONE(a_burst_is_allowed_and_then_rested_for),
        TEST_ALONE(no_more_than_its_part_is_used_in_the_long_run),
        TEST_ALONE(nothing_is_saved_up_beyond_the_burst),
    };

    return cmocka_run_group_tests_name("allowance", tests, NULL, NULL);
}
