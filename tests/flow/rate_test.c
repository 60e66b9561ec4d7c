/*
 * rate_test.c - a limit that is kept in every span, shared fairly, and used up.
 *
 * The clock is moved by hand; greedy() is what producers with endless input do.
 */
#include "test.h"

#include "clock.h"
#include "rate.h"

enum { HOMES = 4, SPANS = 400 };

int64_t __wrap_clock_now_us(void);

static int64_t now_us;

int64_t __wrap_clock_now_us(void)
{
    return now_us;
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

/* Where each home stands in a run. */
struct taken {
    uint64_t messages[HOMES], bytes[HOMES];
    unsigned pulls;
};

/* What one home may take; returns when it asks again. */
static int64_t take(struct rate *rate, unsigned home, uint32_t weight,
                    struct taken *taken)
{
    int64_t due = 0;
    const uint32_t count = rate_allow(rate, home, 1000, &due);

    taken->pulls++;
    if (count == 0)
        return due;
    rate_charge(rate, home, count, (uint64_t)count * weight);
    taken->messages[home] += count;
    taken->bytes[home] += (uint64_t)count * weight;
    return now_us + 100; /* it takes a while to pull them */
}

/* `homes` take whatever they may until `until_us`, each when it is due. */
static void greedy(struct rate *rate, unsigned homes, uint32_t weight,
                   int64_t until_us, struct taken *taken)
{
    int64_t due[HOMES] = {0};

    while (now_us < until_us) {
        int64_t next = until_us;

        for (unsigned i = 0; i < homes; i++) {
            if (due[i] <= now_us)
                due[i] = take(rate, i, weight, taken);
            next = due[i] < next ? due[i] : next;
        }
        assert_true(next > now_us);
        now_us = next;
    }
}

static uint64_t sum(const uint64_t *counts)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < HOMES; i++)
        all += counts[i];
    return all;
}

static void the_limit_is_reached_and_not_passed(void **state)
{
    const struct rate_limit limit = {.messages = 5000,
                                     .interval_us = CLOCK_SECOND_US};
    struct taken taken = {0};
    struct rate rate;

    (void)state;
    rate_init(&rate, 1, &limit);
    greedy(&rate, 1, 100, now_us + 10 * CLOCK_SECOND_US, &taken);
    assert_in_range(sum(taken.messages), 49500, 50000);
    assert_true(taken.pulls < 10000); /* not one for each message */
    rate_finish(&rate);
}

static void one_instance_alone_may_use_all_of_it(void **state)
{
    const struct rate_limit limit = {.messages = 5000,
                                     .interval_us = CLOCK_SECOND_US};
    struct taken taken = {0};
    struct rate rate;

    (void)state;
    rate_init(&rate, HOMES, &limit);
    greedy(&rate, 1, 100, now_us + 10 * CLOCK_SECOND_US, &taken);
    assert_in_range(sum(taken.messages), 49000, 50000);
    rate_finish(&rate);
}

static void instances_that_all_want_more_get_equal_parts(void **state)
{
    const struct rate_limit limit = {.messages = 5000,
                                     .interval_us = CLOCK_SECOND_US};
    struct taken taken = {0};
    struct rate rate;

    (void)state;
    rate_init(&rate, HOMES, &limit);
    greedy(&rate, HOMES, 100, now_us + 10 * CLOCK_SECOND_US, &taken);
    assert_in_range(sum(taken.messages), 49000, 50000);
    for (unsigned i = 0; i < HOMES; i++)
        assert_in_range(taken.messages[i], 11000, 14000);
    rate_finish(&rate);
}

/* After an idle time, too, and at its edge: no span of one interval sees more
 * than the limit and a twentieth. */
static void there_is_no_double_burst(void **state)
{
    const struct rate_limit limit = {.messages = 1000,
                                     .interval_us = CLOCK_SECOND_US};
    const int64_t step = CLOCK_SECOND_US / 20;
    uint64_t at[SPANS + 1] = {0};
    struct taken taken = {0};
    struct rate rate;

    (void)state;
    rate_init(&rate, HOMES, &limit);
    for (int i = 1; i <= SPANS; i++) {
        if (i % 100 < 40) /* idle for two seconds of each five */
            now_us += step;
        else
            greedy(&rate, HOMES, 100, now_us + step, &taken);
        at[i] = sum(taken.messages);
        if (i >= 20)
            assert_in_range(at[i] - at[i - 20], 0, 1050);
    }
    rate_finish(&rate);
}

static void a_limit_below_one_per_second_is_kept_among_several(void **state)
{
    const struct rate_limit limit = {.messages = 3,
                                     .interval_us = 10 * CLOCK_SECOND_US};
    struct taken taken = {0};
    struct rate rate;

    (void)state;
    rate_init(&rate, HOMES, &limit);
    greedy(&rate, HOMES, 100, now_us + 100 * CLOCK_SECOND_US, &taken);
    assert_in_range(sum(taken.messages), 28, 30);
    rate_finish(&rate);
}

static void bytes_are_limited_although_they_are_known_late(void **state)
{
    const struct rate_limit limit = {.bytes = 1000000,
                                     .interval_us = CLOCK_SECOND_US};
    struct taken taken = {0};
    struct rate rate;

    (void)state;
    rate_init(&rate, 1, &limit);
    greedy(&rate, 1, 700, now_us + 10 * CLOCK_SECOND_US, &taken);
    assert_in_range(sum(taken.bytes), 9900000, 10100000);
    rate_finish(&rate);
}

static void a_message_that_is_more_than_the_limit_passes_and_is_waited_for(
    void **state)
{
    const struct rate_limit limit = {.bytes = 1000,
                                     .interval_us = CLOCK_SECOND_US};
    struct taken taken = {0};
    struct rate rate;

    (void)state;
    rate_init(&rate, 1, &limit);
    greedy(&rate, 1, 5000, now_us + 100 * CLOCK_SECOND_US, &taken);
    assert_in_range(sum(taken.messages), 19, 21);
    rate_finish(&rate);
}

static void the_smaller_of_two_limits_counts(void **state)
{
    const struct rate_limit limit = {
        .messages = 100, .bytes = 1000000, .interval_us = CLOCK_SECOND_US};
    struct taken small = {0}, large = {0};
    struct rate rate;

    (void)state;
    rate_init(&rate, 1, &limit);
    greedy(&rate, 1, 10, now_us + 10 * CLOCK_SECOND_US, &small);
    assert_in_range(sum(small.messages), 980, 1000);
    greedy(&rate, 1, 100000, now_us + 10 * CLOCK_SECOND_US, &large);
    assert_in_range(sum(large.messages), 90, 115);
    rate_finish(&rate);
}

static void a_new_limit_holds_from_then_on(void **state)
{
    const struct rate_limit high = {.messages = 100000,
                                    .interval_us = CLOCK_SECOND_US};
    const struct rate_limit low = {.messages = 100,
                                   .interval_us = CLOCK_SECOND_US};
    const struct rate_limit none = {.interval_us = CLOCK_SECOND_US};
    struct taken before = {0}, after = {0};
    int64_t due = 0;
    struct rate rate;

    (void)state;
    rate_init(&rate, HOMES, &high);
    greedy(&rate, 1, 100, now_us + CLOCK_SECOND_US, &before);
    now_us += CLOCK_SECOND_US; /* the buckets are full */
    rate_set(&rate, &low);
    greedy(&rate, HOMES, 100, now_us + 10 * CLOCK_SECOND_US, &after);
    assert_in_range(sum(after.messages), 980, 1005);
    rate_set(&rate, &none);
    assert_int_equal(rate_allow(&rate, 0, 1000, &due), 1000);
    rate_finish(&rate);
}

static void a_limit_that_comes_later_holds_at_once(void **state)
{
    const struct rate_limit none = {0}; /* as where none is written */
    const struct rate_limit limit = {.messages = 100,
                                     .interval_us = CLOCK_SECOND_US};
    struct rate_limit told;
    struct taken taken = {0};
    int64_t due = 0;
    struct rate rate;

    (void)state;
    rate_init(&rate, HOMES, &none);
    assert_false(rate_is_limited(&rate));
    assert_int_equal(rate_allow(&rate, 0, 1000, &due), 1000);
    now_us += 3600 * CLOCK_SECOND_US;
    rate_set(&rate, &limit);
    assert_true(rate_is_limited(&rate));
    rate_get(&rate, &told);
    assert_int_equal(told.messages, 100);
    greedy(&rate, HOMES, 100, now_us + 10 * CLOCK_SECOND_US, &taken);
    assert_in_range(sum(taken.messages), 980, 1005);
    rate_finish(&rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_limit_is_reached_and_not_passed),
        TEST(one_instance_alone_may_use_all_of_it),
        TEST(instances_that_all_want_more_get_equal_parts),
        TEST(there_is_no_double_burst),
        TEST(a_limit_below_one_per_second_is_kept_among_several),
        TEST(bytes_are_limited_although_they_are_known_late),
        TEST(a_message_that_is_more_than_the_limit_passes_and_is_waited_for),
        TEST(the_smaller_of_two_limits_counts),
        TEST(a_new_limit_holds_from_then_on),
        TEST(a_limit_that_comes_later_holds_at_once),
    };
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
