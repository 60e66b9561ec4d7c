/*
 * traceparent_test.c - what is a trace context, and what only looks like one.
 */
#include "test.h"

#include <string.h>

#include "traceparent.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static bool parses(const char *text)
{
    struct traceparent parent;

    return traceparent_parse(weir_str(text), &parent);
}

static void its_parts_are_read(void **state)
{
    struct traceparent parent;

    (void)state;
    assert_true(
        traceparent_parse(WEIR_STR("00-" TRACE "-" PARENT "-01"), &parent));
    assert_string_equal(parent.trace_id, TRACE);
    assert_string_equal(parent.parent_id, PARENT);
    assert_true(parent.is_sampled);
    assert_true(
        traceparent_parse(WEIR_STR("00-" TRACE "-" PARENT "-fe"), &parent));
    assert_false(parent.is_sampled);
}

static void what_is_wrong_in_one_character_is_none(void **state)
{
    static const char *const wrong[] = {
        "",
        "00-" TRACE "-" PARENT,
        "00-" TRACE "-" PARENT "-1",
        "00-" TRACE "-" PARENT "-0g",
        "00-" TRACE "-" PARENT "-01 ",
        " 00-" TRACE "-" PARENT "-01",
        "00-" TRACE "-" PARENT "-01-more",
        "ff-" TRACE "-" PARENT "-01",
        "0-" TRACE "-" PARENT "-01",
        "00_" TRACE "-" PARENT "-01",
        "00-" TRACE "_" PARENT "-01",
        "00-" TRACE "-" PARENT "_01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-" TRACE "-00f067aa0ba902bX-01",
        "01-" TRACE "-" PARENT "-01more",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (parses(wrong[i]))
            fail_msg("'%s' is no traceparent", wrong[i]);
    }
    assert_false(parses(NULL));
}

static void a_later_version_may_have_more(void **state)
{
    (void)state;
    assert_true(parses("01-" TRACE "-" PARENT "-01"));
    assert_true(parses("cc-" TRACE "-" PARENT "-01-what-comes"));
}

static void a_state_is_a_list_of_keys_and_values(void **state)
{
    static const char *const good[] = {
        "rojo=00f067aa0ba902b7", "a=1,b=2",      "a=1 , b=2", "a=1,,b=2,",
        "fw529a3039@dt=FfAqZg",  "a/b*c_d-e=~!",
    };
    static const char *const wrong[] = {
        "",      "a",      "a=",    "=1",   "A=1",
        "a=1=2", "a=\x01", "a b=1", "_a=1", "a=caf\xc3\xa9"};
    char text[600];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(tracestate_is_valid(weir_str(good[i])));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (tracestate_is_valid(weir_str(wrong[i])))
            fail_msg("'%s' is no tracestate", wrong[i]);
    }
    assert_false(tracestate_is_valid(weir_str(NULL)));
    memset(text, ',', sizeof text);
    assert_true(tracestate_is_valid((struct weir_bytes){text, 31}));
    assert_false(tracestate_is_valid((struct weir_bytes){text, 32}));
    memset(text, 'a', sizeof text);
    text[1] = '=';
    assert_true(tracestate_is_valid((struct weir_bytes){text, 258}));
    assert_false(tracestate_is_valid((struct weir_bytes){text, 259}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(its_parts_are_read),
        TEST_ALONE(what_is_wrong_in_one_character_is_none),
        TEST_ALONE(a_later_version_may_have_more),
        TEST_ALONE(a_state_is_a_list_of_keys_and_values),
    };
    return cmocka_run_group_tests_name("traceparent", tests, NULL, NULL);
}
