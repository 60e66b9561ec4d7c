/*
 * generator_test.c - the messages that the generator makes.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "generator.h"
#include "test_intake.h"
#include "test_settings.h"

struct fixture {
    struct weir_settings *settings;
    struct weir_intake *intake;
};

static int setup(void **state)
{
    struct fixture *const fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    fixture->settings = test_settings_create(weir_generator_producer.options);
    fixture->intake = test_intake_create(&weir_generator_producer);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *const fixture = *state;

    test_intake_close(fixture->intake);
    test_intake_destroy(fixture->intake);
    test_settings_destroy(fixture->settings);
    free(fixture);
    return 0;
}

static void open_generator(struct fixture *fixture)
{
    struct weir_error err = {0};

    assert_int_equal(
        weir_generator_producer.open(test_intake_self(fixture->intake),
                                     fixture->settings, &err),
        WEIR_OK);
}

/* The first `count` payloads with the settings made so far. */
static const struct test_record *make(struct fixture *fixture, size_t count)
{
    open_generator(fixture);
    test_intake_pull_until(fixture->intake, 64, count);
    return test_intake_record(fixture->intake, 0);
}

static void a_payload_is_its_number_and_letters_of_the_asked_size(void **state)
{
    struct fixture *const fixture = *state;
    const struct test_record *records;

    test_settings_set(fixture->settings, "size", "20B");
    records = make(fixture, 64);
    assert_int_equal(records[0].payload_size, 20);
    assert_memory_equal(records[0].payload, "0000000000000000 ", 17);
    assert_memory_equal(records[63].payload, "0000000000000063 ", 17);
    assert_int_equal(strlen(records[63].payload), 20);
    assert_string_not_equal(records[10].payload + 17, records[11].payload + 17);
}

static void payloads_of_any_size_are_filled_to_their_end(void **state)
{
    struct fixture *const fixture = *state;
    const char *const sizes[] = {"0B",    "1B",    "2B",   "4095B",
                                 "4096B", "4097B", "12KiB"};
    const size_t bytes[] = {0, 1, 2, 4095, 4096, 4097, 12288};

    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        const struct test_record *record;

        test_settings_set(fixture->settings, "size", sizes[i]);
        record = make(fixture, 1);
        assert_true(record->has_payload);
        assert_int_equal(record->payload_size, bytes[i]);
        assert_int_equal(strlen(record->payload), bytes[i]);
        test_intake_close(fixture->intake);
    }
}

static void a_small_payload_has_the_last_digits(void **state)
{
    struct fixture *const fixture = *state;

    test_settings_set(fixture->settings, "size", "3B");
    (void)make(fixture, 1235);
    assert_string_equal(test_intake_record(fixture->intake, 1234)->payload,
                        "234");
}

static void the_same_seed_makes_the_same_messages(void **state)
{
    struct fixture *const fixture = *state;
    struct weir_intake *const other =
        test_intake_create(&weir_generator_producer);
    const struct test_record *records, *others;

    test_settings_set(fixture->settings, "keys", "5");
    records = make(fixture, 64);
    assert_int_equal(weir_generator_producer.open(test_intake_self(other),
                                                  fixture->settings, NULL),
                     WEIR_OK);
    test_intake_pull_until(other, 7, 64);
    others = test_intake_record(other, 0);
    for (size_t i = 0; i < 64; i++) {
        assert_string_equal(records[i].payload, others[i].payload);
        assert_string_equal(records[i].key, others[i].key);
    }
    test_intake_close(other);
    test_intake_destroy(other);
}

static void another_seed_makes_other_messages(void **state)
{
    struct fixture *const fixture = *state;
    char *first;

    first = strdup(make(fixture, 1)->payload);
    test_intake_close(fixture->intake);
    test_settings_set(fixture->settings, "seed", "2");
    assert_string_not_equal(make(fixture, 1)->payload + 17, first + 17);
    free(first);
}

static void without_keys_there_is_no_key(void **state)
{
    assert_false(make(*state, 1)->has_key);
}

static void all_keys_of_the_key_space_are_used_and_no_other(void **state)
{
    struct fixture *const fixture = *state;
    const struct test_record *records;
    bool is_seen[4] = {false};

    test_settings_set(fixture->settings, "keys", "4");
    records = make(fixture, 256);
    for (size_t i = 0; i < 256; i++) {
        assert_int_equal(records[i].key_size, 1);
        assert_in_range(records[i].key[0], '0', '3');
        is_seen[records[i].key[0] - '0'] = true;
    }
    assert_true(is_seen[0] && is_seen[1] && is_seen[2] && is_seen[3]);
}

static void a_template_replaces_the_letters(void **state)
{
    struct fixture *const fixture = *state;
    const struct test_record *records;

    test_settings_set(fixture->settings, "keys", "10");
    test_settings_set(fixture->settings, "template",
                      "%{n}|%{key}|%{random.3}|%{random}|%{random}|%{time}");
    records = make(fixture, 64);
    for (size_t i = 0; i < 64; i++) {
        char key[8], first[24], second[24], end;
        unsigned number, below, year;

        assert_int_equal(sscanf(records[i].payload,
                                "%u|%7[0-9]|%u|%16[0-9a-f]|%16[0-9a-f]|%4u-%*2d"
                                "-%*2dT%*2d:%*2d:%*2d.%*3d%c",
                                &number, key, &below, first, second, &year,
                                &end),
                         7);
        assert_int_equal(number, i);
        assert_string_equal(key, records[i].key);
        assert_in_range(below, 0, 2);
        assert_string_not_equal(first, second);
        assert_true(year >= 2024);
        assert_int_equal(end, 'Z');
    }
}

static void a_long_template_is_not_cut(void **state)
{
    struct fixture *const fixture = *state;
    const char *const text =
        "%{random}.%{random}.%{random}.%{random}.%{random}."
        "%{random}.%{random}.%{random}.%{random}.%{random}."
        "%{random}.%{random}.%{random}.%{random}.%{random}.";

    test_settings_set(fixture->settings, "template", text);
    assert_int_equal(make(fixture, 1)->payload_size, 15 * 17);
    assert_int_equal(strlen(test_intake_record(fixture->intake, 0)->payload),
                     15 * 17);
}

static void a_payload_above_the_limit_is_omitted(void **state)
{
    struct fixture *const fixture = *state;
    const struct test_record *record;

    test_settings_share(fixture->settings)->max_message_bytes = 10;
    test_settings_set(fixture->settings, "template", "%{n} is too long");
    record = make(fixture, 1);
    assert_false(record->has_payload);
    assert_int_equal(record->omitted, strlen("0 is too long"));
}

static void a_name_that_is_not_known_is_refused(void **state)
{
    struct fixture *const fixture = *state;
    const char *const wrong[] = {"%{nn}",       "%{random.}", "%{random.0}",
                                 "%{random.x}", "%{n",        "%{}"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        test_settings_set(fixture->settings, "template", wrong[i]);
        weir_generator_producer.check(fixture->settings);
        assert_memory_equal(test_settings_take_refusals(fixture->settings),
                            "template: ", 10);
    }
    test_settings_set(fixture->settings, "template", "%{n} %%{n}");
    weir_generator_producer.check(fixture->settings);
    assert_string_equal(test_settings_take_refusals(fixture->settings), "");
}

static void a_size_above_the_limit_is_refused(void **state)
{
    struct fixture *const fixture = *state;

    test_settings_set(fixture->settings, "size", "2MiB");
    weir_generator_producer.check(fixture->settings);
    assert_memory_equal(test_settings_take_refusals(fixture->settings),
                        "size: ", 6);
}

static void count_ends_the_run_when_all_is_settled(void **state)
{
    struct fixture *const fixture = *state;
    const int64_t now_us = clock_now_us();

    test_settings_set(fixture->settings, "count", "10");
    (void)make(fixture, 10);
    assert_int_equal(test_intake_pull(fixture->intake, 64, now_us, NULL),
                     WEIR_AGAIN);
    (void)test_intake_settle(fixture->intake, 3, 7, WEIR_OUTCOME_DONE);
    assert_int_equal(test_intake_pull(fixture->intake, 64, now_us, NULL),
                     WEIR_AGAIN);
    (void)test_intake_settle(fixture->intake, 0, 3, WEIR_OUTCOME_LEAVE);
    assert_int_equal(test_intake_pull(fixture->intake, 64, now_us, NULL),
                     WEIR_DONE);
    assert_int_equal(test_intake_count(fixture->intake), 10);
}

static void instances_share_the_numbers_without_a_gap(void **state)
{
    struct fixture *const fixture = *state;
    bool is_seen[10] = {false};

    test_settings_set(fixture->settings, "count", "10");
    test_settings_share(fixture->settings)->count = 3;
    for (unsigned index = 0; index < 3; index++) {
        struct weir_intake *const member =
            test_intake_create(&weir_generator_producer);

        test_settings_share(fixture->settings)->index = index;
        assert_int_equal(weir_generator_producer.open(test_intake_self(member),
                                                      fixture->settings, NULL),
                         WEIR_OK);
        while (test_intake_pull(member, 64, clock_now_us(), NULL) == WEIR_OK)
            continue;
        for (size_t i = 0; i < test_intake_count(member); i++) {
            const int64_t offset = test_intake_record(member, i)->offset;

            assert_in_range(offset, 0, 9);
            assert_false(is_seen[offset]);
            is_seen[offset] = true;
        }
        test_intake_close(member);
        test_intake_destroy(member);
    }
    for (size_t i = 0; i < 10; i++)
        assert_true(is_seen[i]);
}

static void it_says_how_far_it_is_and_what_is_open(void **state)
{
    struct fixture *const fixture = *state;
    struct weir_source_facts facts = {.position = -1, .committed = -1};

    test_settings_share(fixture->settings)->count = 3;
    test_settings_share(fixture->settings)->index = 1;
    (void)make(fixture, 5); /* 1, 4, 7, 10, 13 */
    (void)test_intake_settle(fixture->intake, 0, 2, WEIR_OUTCOME_DONE);
    weir_generator_producer.describe(test_intake_self(fixture->intake), 0,
                                     &facts);
    assert_int_equal(facts.position,
                     1 + 3 * test_intake_count(fixture->intake));
    assert_int_equal(facts.window, test_intake_count(fixture->intake) - 2);
    assert_int_equal(facts.committed, -1); /* it commits nothing */
}

static void a_rate_is_waited_for(void **state)
{
    struct fixture *const fixture = *state;
    int64_t begin_us;

    test_settings_set(fixture->settings, "rate", "100");
    open_generator(fixture);
    begin_us = clock_now_us();
    test_intake_pull_until(fixture->intake, 64, 11);
    assert_true(clock_now_us() - begin_us >= 100000);
}

static void without_room_the_same_message_is_offered_again(void **state)
{
    struct fixture *const fixture = *state;

    open_generator(fixture);
    test_intake_set_room(fixture->intake, 5);
    test_intake_pull_until(fixture->intake, 64, 5);
    assert_int_equal(
        test_intake_pull(fixture->intake, 64, clock_now_us(), NULL),
        WEIR_AGAIN);
    test_intake_set_room(fixture->intake, SIZE_MAX);
    test_intake_pull_until(fixture->intake, 64, 6);
    assert_int_equal(test_intake_record(fixture->intake, 5)->offset, 5);
    assert_memory_equal(test_intake_record(fixture->intake, 5)->payload,
                        "0000000000000005 ", 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_payload_is_its_number_and_letters_of_the_asked_size),
        TEST(payloads_of_any_size_are_filled_to_their_end),
        TEST(a_small_payload_has_the_last_digits),
        TEST(the_same_seed_makes_the_same_messages),
        TEST(another_seed_makes_other_messages),
        TEST(without_keys_there_is_no_key),
        TEST(all_keys_of_the_key_space_are_used_and_no_other),
        TEST(a_template_replaces_the_letters),
        TEST(a_long_template_is_not_cut),
        TEST(a_payload_above_the_limit_is_omitted),
        TEST(a_name_that_is_not_known_is_refused),
        TEST(a_size_above_the_limit_is_refused),
        TEST(count_ends_the_run_when_all_is_settled),
        TEST(instances_share_the_numbers_without_a_gap),
        TEST(it_says_how_far_it_is_and_what_is_open),
        TEST(a_rate_is_waited_for),
        TEST(without_room_the_same_message_is_offered_again),
    };

    return cmocka_run_group_tests_name("generator", tests, NULL, NULL);
}
