/*
 * utf8_test.c - what is text and what isn't.
 */
#include "test.h"

#include "utf8.h"

static void text_of_every_length_is_valid(void **state)
{
    const char *const texts[] = {"",
                                 "a",
                                 "exactly8",
                                 "nine char",
                                 "\xC2\x80",
                                 "\xDF\xBF",
                                 "\xE0\xA0\x80",
                                 "\xED\x9F\xBF",
                                 "\xEE\x80\x80",
                                 "\xEF\xBF\xBF",
                                 "\xF0\x90\x80\x80",
                                 "\xF4\x8F\xBF\xBF",
                                 "long enough \xC3\xA4 and on \xE2\x82\xAC"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_true(utf8_is_valid(weir_str(texts[i])));
    assert_true(utf8_is_valid((struct weir_bytes){"a\0b", 3}));
}

static void what_the_standard_forbids_is_not_valid(void **state)
{
    const char *const texts[] = {
        "\x80",             /* a continuation alone */
        "\xC0\xAF",         /* overlong */
        "\xC1\xBF",         /* overlong */
        "\xE0\x9F\xBF",     /* overlong */
        "\xED\xA0\x80",     /* a surrogate */
        "\xF0\x8F\xBF\xBF", /* overlong */
        "\xF4\x90\x80\x80", /* above U+10FFFF */
        "\xF5\x80\x80\x80",
        "\xFF",
        "\xE2\x28\xA1",
        "\xE2\x82\x28",
        "\xF0\x90\x80\x28",
        "eight ch\xFFrs",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(utf8_is_valid(weir_str(texts[i])));
}

static void a_character_that_is_cut_off_is_not_valid(void **state)
{
    const char text[] = "\xF0\x90\x80\x80";

    (void)state;
    for (size_t size = 1; size < 4; size++)
        assert_false(utf8_is_valid((struct weir_bytes){text, size}));
    assert_false(utf8_is_valid((struct weir_bytes){"\xE2\x82", 2}));
    assert_false(utf8_is_valid((struct weir_bytes){"\xC3", 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(text_of_every_length_is_valid),
        TEST_ALONE(what_the_standard_forbids_is_not_valid),
        TEST_ALONE(a_character_that_is_cut_off_is_not_valid),
    };

    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
