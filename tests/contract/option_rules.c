/*
 * option_rules.c - what every option table keeps to.
 */
#include "option_rules.h"

#include <string.h>

#include "test.h"
#include "test_settings.h"

static void assert_option(const struct weir_option *option)
{
    const char *const help = option->help;
    int64_t number;

    if (!help || help[0] == '\0' || help[strlen(help) - 1] != '.')
        fail_msg("%s: the help is no sentence", option->name);
    if (option->type == WEIR_OPTION_CHOICE)
        assert_non_null(option->choices);
    if (option->fallback &&
        !test_option_parse(option, option->fallback, &number))
        fail_msg("%s: the default is none", option->name);
    if (option->fallback && (option->flags & WEIR_OPTION_REQUIRED))
        fail_msg("%s: required, but with a default", option->name);
    assert_true(option->type < WEIR_OPTION_TYPE_COUNT);
    assert_true(option->min <= option->max);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the table. */
void assert_options(const struct weir_option *options)
{
    assert_true(options != NULL);
    for (const struct weir_option *option = options; option && option->name;
         option++) {
        const bool is_group = option->type == WEIR_OPTION_GROUP ||
                              option->type == WEIR_OPTION_GROUPS;

        assert_option(option);
        for (const struct weir_option *other = options; other != option;
             other++)
            assert_string_not_equal(option->name, other->name);
        assert_int_equal(is_group, option->children != NULL);
        if (is_group)
            assert_options(option->children);
    }
}
