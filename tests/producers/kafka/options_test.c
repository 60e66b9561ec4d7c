/*
 * options_test.c - what a topology says of a Kafka source, and how far ahead
 * its client may fetch.
 */
#include "test.h"

#include <string.h>

#include "kafka_limits.h"
#include "kafka_options.h"
#include "kafka_producer.h"
#include "test_settings.h"

static int setup(void **state)
{
    *state = test_settings_create(weir_kafka_producer.options);
    if (!*state)
        return -1;
    test_settings_set(*state, "brokers", "one:9092");
    test_settings_set(*state, "group", "orders");
    test_settings_set(*state, "topics", "orders");
    return 0;
}

static int teardown(void **state)
{
    test_settings_destroy(*state);
    return 0;
}

static const char *refusals(struct weir_settings *settings)
{
    weir_kafka_producer.check(settings);
    return test_settings_take_refusals(settings);
}

static void the_defaults_are_fine(void **state)
{
    assert_string_equal(refusals(*state), "");
}

static void a_start_is_a_word_or_a_time(void **state)
{
    enum kafka_start start = KAFKA_START_EARLIEST;
    int64_t ms = 0;

    (void)state;
    assert_int_equal(kafka_options_parse_start("latest", &start, &ms), WEIR_OK);
    assert_int_equal(start, KAFKA_START_LATEST);
    assert_int_equal(kafka_options_parse_start("1769846400123", &start, &ms),
                     WEIR_OK);
    assert_int_equal(start, KAFKA_START_AT);
    assert_int_equal(ms, 1769846400123);
    assert_int_equal(
        kafka_options_parse_start("2026-01-31T08:00:00Z", &start, &ms),
        WEIR_OK);
    assert_int_equal(ms, 1769846400000);
    assert_int_equal(
        kafka_options_parse_start("2026-01-31T10:00:00.5+02:00", &start, &ms),
        WEIR_OK);
    assert_int_equal(ms, 1769846400500);
}

static void another_start_is_refused(void **state)
{
    static const char *const wrong[] = {
        "yesterday", "2026-01-31", "-5", "2026-01-31T08:00:00", "12h", ""};
    enum kafka_start start;
    int64_t ms;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(kafka_options_parse_start(wrong[i], &start, &ms),
                         WEIR_REJECT);
    test_settings_set(*state, "start", "yesterday");
    assert_non_null(strstr(refusals(*state), "start: "));
}

static void a_window_must_hold_two_batches(void **state)
{
    test_settings_share(*state)->largest_batch = 500;
    test_settings_set(*state, "max_uncommitted", "999");
    assert_non_null(strstr(refusals(*state), "max_uncommitted: "));
    test_settings_set(*state, "max_uncommitted", "1000");
    assert_string_equal(refusals(*state), "");
}

static void the_group_is_not_kept_waiting(void **state)
{
    test_settings_set(*state, "properties.max.poll.interval.ms", "10000");
    test_settings_set(*state, "properties.session.timeout.ms", "10000");
    assert_non_null(strstr(refusals(*state), "drain_timeout: "));
    test_settings_set(*state, "drain_timeout", "2500ms");
    assert_string_equal(refusals(*state), "");
}

static void a_message_that_may_be_held_beyond_the_poll_interval_is_warned_of(
    void **state)
{
    struct weir_share *share = test_settings_share(*state);

    share->held_us = 300 * INT64_C(1000000);
    assert_string_equal(refusals(*state), "");
    assert_string_equal(test_settings_take_warnings(*state), "");
    share->held_us++;
    assert_string_equal(refusals(*state), "");
    assert_non_null(strstr(test_settings_take_warnings(*state),
                           "more than max.poll.interval.ms (300 s)"));

    test_settings_set(*state, "properties.max.poll.interval.ms", "600000");
    assert_string_equal(refusals(*state), "");
    assert_string_equal(test_settings_take_warnings(*state), "");
}

static void a_broken_pattern_is_refused(void **state)
{
    test_settings_set(*state, "topics", "^orders-[a");
    assert_non_null(strstr(refusals(*state), "topics: "));
}

/* A queue that is full by messages and by bytes, and a response
 * that grows 128 times. */
static int64_t worst_case(const struct kafka_limits *limits,
                          unsigned partitions)
{
    return (int64_t)partitions *
               (limits->queue_kbytes * 1024 + limits->queue_messages * 340) +
           128 * limits->fetch_bytes;
}

static void limits_fit_the_memory(void **state)
{
    (void)state;
    for (unsigned partitions = 1; partitions <= 256; partitions *= 4) {
        const size_t memory = (size_t)128 << 20;
        const struct kafka_limits limits =
            kafka_limits_for(memory, partitions, 1, 0);

        assert_true(worst_case(&limits, partitions) <= (int64_t)memory);
        assert_true(limits.partition_bytes <= limits.fetch_bytes);
    }
}

static void what_grows_more_is_fetched_in_smaller_pieces(void **state)
{
    const struct kafka_limits usual =
        kafka_limits_for((size_t)64 << 20, 4, 1, 20);
    const struct kafka_limits grown =
        kafka_limits_for((size_t)64 << 20, 4, 1, 7000);

    (void)state;
    assert_int_equal(usual.partition_bytes, 64 * 1024);
    assert_true(grown.partition_bytes * 7000 * 4 <= 32 << 20);
    assert_true(grown.fetch_bytes >= grown.partition_bytes);
}

static void limits_are_never_nothing(void **state)
{
    const struct kafka_limits limits = kafka_limits_for(1, 10000, 100, 0);

    (void)state;
    assert_true(limits.queue_messages > 0);
    assert_true(limits.queue_kbytes > 0);
    assert_true(limits.partition_bytes > 0);
    assert_true(limits.fetch_bytes >= limits.partition_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_defaults_are_fine),
        TEST(a_start_is_a_word_or_a_time),
        TEST(another_start_is_refused),
        TEST(a_window_must_hold_two_batches),
        TEST(the_group_is_not_kept_waiting),
        TEST(a_message_that_may_be_held_beyond_the_poll_interval_is_warned_of),
        TEST(a_broken_pattern_is_refused),
        TEST(limits_fit_the_memory),
        TEST(what_grows_more_is_fetched_in_smaller_pieces),
        TEST(limits_are_never_nothing),
    };
    return cmocka_run_group_tests_name("kafka_options", tests, NULL, NULL);
}
