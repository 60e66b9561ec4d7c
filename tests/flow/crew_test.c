/*
 * crew_test.c - workers that rest, and those that don't.
 */
#include "test.h"

#include <pthread.h>

#include "clock.h"
#include "crew.h"

enum { WORKERS = 4 };

static struct crew crew;

static int setup(void **state)
{
    (void)state;
    crew_init(&crew, WORKERS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    crew_finish(&crew);
    return 0;
}

/* How many of them work now. */
static unsigned working(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < WORKERS; i++)
        count += crew_may_work(&crew, i, clock_now_us());
    return count;
}

static void all_work_until_some_are_to_rest(void **state)
{
    (void)state;
    assert_int_equal(working(), WORKERS);
    crew_set(&crew, 1);
    assert_int_equal(working(), 1);
    assert_true(crew_may_work(&crew, 0, clock_now_us()));
    crew_set(&crew, 3);
    assert_int_equal(working(), 3);
}

static void once_released_nobody_rests_again(void **state)
{
    (void)state;
    crew_set(&crew, 1);
    crew_release(&crew);
    assert_int_equal(working(), WORKERS);
    crew_set(&crew, 1); /* a reload that came late */
    assert_int_equal(working(), WORKERS);
}

static void *rest(void *opaque)
{
    while (!crew_may_work(&crew, WORKERS - 1,
                          clock_after_us(60 * CLOCK_SECOND_US)))
        ;
    return opaque;
}

static void who_rests_is_woken(void **state)
{
    pthread_t worker;

    (void)state;
    crew_set(&crew, 1);
    assert_int_equal(pthread_create(&worker, NULL, rest, NULL), 0);
    crew_set(&crew, WORKERS);
    assert_int_equal(pthread_join(worker, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_work_until_some_are_to_rest),
        TEST(once_released_nobody_rests_again),
        TEST(who_rests_is_woken),
    };

    return cmocka_run_group_tests_name("crew", tests, NULL, NULL);
}
