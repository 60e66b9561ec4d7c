/*
 * flood_test.c - when too many messages fail, by a clock of the test's own.
 */
#include "test.h"

#include "flood.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)

static struct {
    struct flood flood;
    struct flood_count all;
    int64_t now_us;
} shared;

static int setup(void **state)
{
    (void)state;
    flood_init(&shared.flood, &(struct flood_limit){50, MINUTE});
    shared.all = (struct flood_count){0, 0};
    shared.now_us = 77 * MINUTE;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return 0;
}

static enum flood_news count(int64_t after_us, unsigned fine, unsigned failed)
{
    shared.now_us += after_us;
    shared.all.judged += fine + failed;
    shared.all.failed += failed;
    return flood_observe(&shared.flood, shared.now_us, shared.all);
}

static uint32_t take(uint32_t demand)
{
    bool is_counted;

    return flood_take(&shared.flood, 1, demand, &is_counted);
}

static void it_is_judged_from_a_hundred_messages_up(void **state)
{
    (void)state;
    assert_int_equal(count(0, 0, 99), FLOOD_SAME);
    assert_int_equal(take(1000), 1000);
    assert_int_equal(count(SECOND, 0, 1), FLOOD_STOPS);
    assert_int_equal(take(1000), 0);
}

static void the_share_itself_is_not_above_it(void **state)
{
    (void)state;
    assert_int_equal(count(0, 500, 500), FLOOD_SAME);
    assert_int_equal(count(SECOND, 0, 1), FLOOD_STOPS);
}

static void what_failed_longer_ago_is_forgotten(void **state)
{
    (void)state;
    assert_int_equal(count(0, 0, 90), FLOOD_SAME);
    assert_int_equal(count(MINUTE + 4 * SECOND, 0, 90), FLOOD_SAME);
    assert_int_equal(flood_sum(&shared.flood).judged, 90);
    assert_int_equal(count(30 * SECOND, 95, 0), FLOOD_SAME);
    assert_int_equal(count(31 * SECOND, 0, 90), FLOOD_SAME);
    assert_int_equal(flood_sum(&shared.flood).judged, 185);
    assert_int_equal(count(SECOND, 0, 6), FLOOD_STOPS);
}

static void after_a_pause_the_past_is_over(void **state)
{
    (void)state;
    assert_int_equal(count(0, 0, 90), FLOOD_SAME);
    assert_int_equal(count(100 * MINUTE, 0, 90), FLOOD_SAME);
}

static void one_chunk_passes_per_step_and_steps_grow_to_a_minute(void **state)
{
    int64_t step_us = SECOND;

    (void)state;
    assert_int_equal(count(0, 0, 100), FLOOD_STOPS);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(count(step_us - 1, 0, 10), FLOOD_SAME);
        assert_int_equal(take(1000), 0);
        assert_int_equal(count(1, 0, 54), FLOOD_STEPS);
        assert_int_equal(take(1000), FLOOD_CHUNK);
        step_us = 2 * step_us < MINUTE ? 2 * step_us : MINUTE;
    }
    assert_int_equal(step_us, MINUTE);
}

static void a_step_under_the_share_resumes(void **state)
{
    (void)state;
    assert_int_equal(count(0, 0, 100), FLOOD_STOPS);
    assert_int_equal(count(SECOND, 0, 1), FLOOD_STEPS);
    assert_int_equal(count(SECOND, 5, 5), FLOOD_SAME);
    assert_int_equal(count(SECOND, 0, 0), FLOOD_RESUMES);
    assert_int_equal(take(1000), 1000);
    assert_int_equal(count(0, 0, 99), FLOOD_SAME); /* judged anew */
}

static void a_chunk_that_is_fine_resumes_at_once(void **state)
{
    (void)state;
    assert_int_equal(count(0, 0, 100), FLOOD_STOPS);
    assert_int_equal(count(SECOND, 0, 1), FLOOD_STEPS);
    assert_int_equal(take(1000), FLOOD_CHUNK);
    assert_int_equal(count(1000, FLOOD_CHUNK - 1, 0), FLOOD_SAME);
    assert_int_equal(count(1000, 1, 0), FLOOD_RESUMES);
}

static void a_step_in_which_nothing_ended_is_not_judged(void **state)
{
    (void)state;
    assert_int_equal(count(0, 0, 100), FLOOD_STOPS);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(count(SECOND, 0, 0), FLOOD_STEPS);
    assert_int_equal(take(1000), FLOOD_CHUNK); /* not five of them */
    assert_int_equal(take(1000), 0);
}

static void what_was_not_pulled_is_for_others(void **state)
{
    bool is_counted = false;

    (void)state;
    assert_int_equal(count(0, 0, 100), FLOOD_STOPS);
    assert_int_equal(count(SECOND, 0, 1), FLOOD_STEPS);
    assert_int_equal(flood_take(&shared.flood, 3, 1000, &is_counted), 22);
    assert_true(is_counted);
    assert_int_equal(flood_take(&shared.flood, 3, 1000, &is_counted), 22);
    assert_int_equal(flood_take(&shared.flood, 3, 1000, &is_counted), 20);
    flood_give(&shared.flood, 2);
    assert_int_equal(flood_take(&shared.flood, 3, 1000, &is_counted), 2);
}

static void without_a_limit_nothing_is_judged(void **state)
{
    (void)state;
    flood_init(&shared.flood, &(struct flood_limit){0, 0});
    assert_int_equal(count(0, 0, 100000), FLOOD_SAME);
    assert_int_equal(take(1000), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_judged_from_a_hundred_messages_up),
        TEST(the_share_itself_is_not_above_it),
        TEST(what_failed_longer_ago_is_forgotten),
        TEST(after_a_pause_the_past_is_over),
        TEST(one_chunk_passes_per_step_and_steps_grow_to_a_minute),
        TEST(a_step_under_the_share_resumes),
        TEST(a_chunk_that_is_fine_resumes_at_once),
        TEST(a_step_in_which_nothing_ended_is_not_judged),
        TEST(what_was_not_pulled_is_for_others),
        TEST(without_a_limit_nothing_is_judged),
    };
    return cmocka_run_group_tests_name("flood", tests, NULL, NULL);
}
