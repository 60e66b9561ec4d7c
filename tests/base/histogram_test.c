/*
 * histogram_test.c - each span in its bucket, and merged in one view.
 */
#include "test.h"

#include <string.h>

#include "histogram.h"

static void a_span_is_in_the_first_bucket_that_holds_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
        struct histogram histogram = {0};
        struct histogram_view view = {0};

        histogram_add(&histogram, histogram_bounds_us[i], 1);
        histogram_add(&histogram, histogram_bounds_us[i] + 1, 2);
        histogram_merge(&histogram, &view);
        assert_int_equal(view.counts[i], 1);
        assert_int_equal(view.counts[i + 1], 2);
        assert_int_equal(view.count, 3);
        assert_int_equal(view.sum_us, 3 * histogram_bounds_us[i] + 2);
    }
}

static void bounds_rise(void **state)
{
    (void)state;
    for (unsigned i = 1; i < HISTOGRAM_BOUNDS; i++)
        assert_true(histogram_bounds_us[i] > histogram_bounds_us[i - 1]);
}

static void less_than_nothing_is_nothing(void **state)
{
    struct histogram histogram = {0};
    struct histogram_view view = {0};

    (void)state;
    histogram_add(&histogram, -5, 3);
    histogram_merge(&histogram, &view);
    assert_int_equal(view.counts[0], 3);
    assert_int_equal(view.sum_us, 0);
}

static void views_add_up(void **state)
{
    struct histogram one = {0}, other = {0};
    struct histogram_view view = {0};

    (void)state;
    histogram_add(&one, 5, 2);
    histogram_add(&other, 5, 3);
    histogram_merge(&one, &view);
    histogram_merge(&other, &view);
    assert_int_equal(view.counts[0], 5);
    assert_int_equal(view.count, 5);
    assert_int_equal(view.sum_us, 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(a_span_is_in_the_first_bucket_that_holds_it),
        TEST_ALONE(bounds_rise),
        TEST_ALONE(less_than_nothing_is_nothing),
        TEST_ALONE(views_add_up),
    };
    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
