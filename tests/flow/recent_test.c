/*
 * recent_test.c - the messages that failed last, and no more of them.
 */
#include "test.h"

#include <stdio.h>

#include "recent.h"

static int setup(void **state)
{
    static struct recent recent;

    recent_init(&recent);
    *state = &recent;
    return 0;
}

static int teardown(void **state)
{
    recent_finish(*state);
    return 0;
}

static void add(struct recent *recent, int64_t position)
{
    struct recent_failure failure = {.position = position};

    (void)snprintf(failure.reason, sizeof failure.reason, "reason %d",
                   (int)position);
    recent_add(recent, &failure);
}

static void the_newest_is_the_first(void **state)
{
    struct recent_failure out[RECENT_COUNT];

    assert_int_equal(recent_read(*state, out), 0);
    add(*state, 5);
    add(*state, 6);
    assert_int_equal(recent_read(*state, out), 2);
    assert_int_equal(out[0].position, 6);
    assert_string_equal(out[0].reason, "reason 6");
    assert_int_equal(out[0].number, 2);
    assert_true(out[0].wall_ms > 0);
    assert_int_equal(out[1].position, 5);
}

static void only_the_last_ones_are_kept(void **state)
{
    struct recent_failure out[RECENT_COUNT];

    for (int i = 0; i < 3 * RECENT_COUNT + 7; i++)
        add(*state, i);
    assert_int_equal(recent_read(*state, out), RECENT_COUNT);
    for (int i = 0; i < RECENT_COUNT; i++)
        assert_int_equal(out[i].position, 3 * RECENT_COUNT + 7 - 1 - i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_newest_is_the_first),
        TEST(only_the_last_ones_are_kept),
    };
    return cmocka_run_group_tests_name("recent", tests, NULL, NULL);
}
