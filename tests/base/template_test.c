/*
 * template_test.c - templates: what is text, what is a place, what is neither.
 */
#include "test.h"

#include <string.h>

#include "template.h"

/* "key" is "K", "absent" is absent, anything else is its own name. */
static struct weir_bytes lookup(void *opaque, const char *name)
{
    unsigned *calls = opaque;

    ++*calls;
    if (strcmp(name, "key") == 0)
        return WEIR_STR("K");
    if (strcmp(name, "absent") == 0)
        return (struct weir_bytes){0};
    if (strcmp(name, "binary") == 0)
        return (struct weir_bytes){.data = "\0\1", .size = 2};
    return WEIR_STR(name);
}

static struct template *parse(const char *text)
{
    struct template *template = NULL;
    struct weir_error err;

    assert_int_equal(template_parse(text, &template, &err), WEIR_OK);
    return template;
}

static void assert_renders(const char *text, const char *expected)
{
    struct template *template = parse(text);
    char out[200] = "";
    unsigned calls = 0;
    const size_t size =
        template_render(template, lookup, &calls, out, sizeof out - 1);

    assert_int_equal(size, strlen(expected));
    assert_string_equal(out, expected);
    assert_int_equal(calls, template_name_count(template));
    template_destroy(template);
}

static void assert_refused(const char *text, const char *reason)
{
    struct template *template = NULL;
    struct weir_error err;

    assert_int_equal(template_parse(text, &template, &err), WEIR_REJECT);
    assert_null(template);
    assert_string_equal(err.text, reason);
    assert_int_equal(template_parse(text, &template, NULL), WEIR_REJECT);
}

static void places_are_filled_in_and_text_is_kept(void **state)
{
    (void)state;
    assert_renders("", "");
    assert_renders("plain", "plain");
    assert_renders("%{key}", "K");
    assert_renders("%{header.x}-%{key}", "header.x-K");
    assert_renders("<%{key}%{key}>", "<KK>");
}

static void an_absent_value_counts_as_empty(void **state)
{
    (void)state;
    assert_renders("<%{absent}>", "<>");
}

static void a_doubled_percent_before_a_brace_is_literal(void **state)
{
    (void)state;
    assert_renders("%%{key}", "%{key}");
    assert_renders("a%%{%{key}%%{", "a%{K%{");
    assert_renders("%%%{key}", "%%{key}");
}

static void other_percents_and_braces_are_text(void **state)
{
    (void)state;
    assert_renders("100%", "100%");
    assert_renders("%% %d {x} }", "%% %d {x} }");
    assert_renders("%{key}}", "K}");
}

static void names_are_listed_in_their_order(void **state)
{
    struct template *template = parse("%{b} %%{no} %{a}%{b}");

    (void)state;
    assert_int_equal(template_name_count(template), 3);
    assert_string_equal(template_name(template, 0), "b");
    assert_string_equal(template_name(template, 1), "a");
    assert_string_equal(template_name(template, 2), "b");
    template_destroy(template);
}

static void an_open_or_nameless_place_is_refused(void **state)
{
    (void)state;
    assert_refused("ab%{key", "\"%{\" at character 3 has no closing brace");
    assert_refused("%{", "\"%{\" at character 1 has no closing brace");
    assert_refused("ab%{}", "\"%{}\" at character 3 has no name");
    assert_refused("%{key}%{}", "\"%{}\" at character 7 has no name");
}

static void a_short_buffer_is_filled_and_the_whole_size_returned(void **state)
{
    struct template *template = parse("%{abcdef}-%{xyz}");
    unsigned calls = 0;

    (void)state;
    assert_int_equal(template_render(template, lookup, &calls, NULL, 0), 10);
    for (size_t size = 1; size <= 10; size++) {
        char out[16];

        memset(out, '#', sizeof out);
        assert_int_equal(template_render(template, lookup, &calls, out, size),
                         10);
        assert_memory_equal(out, "abcdef-xyz", size);
        assert_int_equal(out[size], '#');
    }
    template_destroy(template);
}

static void values_may_hold_any_byte(void **state)
{
    struct template *template = parse("a%{binary}b");
    unsigned calls = 0;
    char out[8];

    (void)state;
    assert_int_equal(template_render(template, lookup, &calls, out, sizeof out),
                     4);
    assert_memory_equal(out, "a\0\1b", 4);
    template_destroy(template);
}

static void destroying_nothing_is_fine(void **state)
{
    (void)state;
    template_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_filled_in_and_text_is_kept),
        cmocka_unit_test(an_absent_value_counts_as_empty),
        cmocka_unit_test(a_doubled_percent_before_a_brace_is_literal),
        cmocka_unit_test(other_percents_and_braces_are_text),
        cmocka_unit_test(names_are_listed_in_their_order),
        cmocka_unit_test(an_open_or_nameless_place_is_refused),
        cmocka_unit_test(a_short_buffer_is_filled_and_the_whole_size_returned),
        cmocka_unit_test(values_may_hold_any_byte),
        cmocka_unit_test(destroying_nothing_is_fine),
    };
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
