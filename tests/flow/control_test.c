/*
 * control_test.c - what is asked of an instance, answered and withdrawn.
 */
#include "test.h"

#include "control.h"

static unsigned wakes;

static void count_wake(void *opaque)
{
    (void)opaque;
    wakes++;
}

static int setup(void **state)
{
    static struct controls controls;

    wakes = 0;
    controls_init(&controls, count_wake, NULL);
    *state = &controls;
    return 0;
}

static int teardown(void **state)
{
    controls_finish(*state);
    return 0;
}

static void a_pause_stays_asked_until_it_is_withdrawn(void **state)
{
    struct controls *controls = *state;

    control_ask(controls, CONTROL_PAUSE, 0);
    assert_true(control_is_asked(controls, CONTROL_PAUSE));
    assert_false(control_is_answered(controls, CONTROL_PAUSE, NULL));
    control_answer(controls, CONTROL_PAUSE, NULL);
    assert_true(control_is_answered(controls, CONTROL_PAUSE, NULL));
    assert_true(control_is_asked(controls, CONTROL_PAUSE));
    control_withdraw(controls, CONTROL_PAUSE);
    assert_false(control_is_asked(controls, CONTROL_PAUSE));
    assert_false(control_is_answered(controls, CONTROL_PAUSE, NULL));
    assert_int_equal(wakes, 2); /* it may sleep in either state */
}

static void a_second_pause_wants_an_answer_of_its_own(void **state)
{
    struct controls *controls = *state;

    control_ask(controls, CONTROL_PAUSE, 0);
    control_answer(controls, CONTROL_PAUSE, NULL);
    control_ask(controls, CONTROL_PAUSE, 0);
    assert_false(control_is_answered(controls, CONTROL_PAUSE, NULL));
}

static void withdrawing_one_leaves_the_others(void **state)
{
    struct controls *controls = *state;

    control_ask(controls, CONTROL_DRAIN, 0);
    control_ask(controls, CONTROL_PAUSE, 0);
    control_withdraw(controls, CONTROL_PAUSE);
    assert_true(control_is_asked(controls, CONTROL_DRAIN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pause_stays_asked_until_it_is_withdrawn),
        TEST(a_second_pause_wants_an_answer_of_its_own),
        TEST(withdrawing_one_leaves_the_others),
    };

    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
