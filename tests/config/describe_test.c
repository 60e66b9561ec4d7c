/*
 * describe_test.c - what is described is what is parsed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "fake_connectors.h"
#include "test.h"

static char *described(const char *name)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool is_known;

    assert_non_null(out);
    is_known = describe_write(out, &fake_connectors, name);
    assert_int_equal(fclose(out), 0);
    assert_true(is_known == (size > 0));
    return text;
}

static void a_connector_is_described_by_its_table(void **state)
{
    char *text = described("queue");

    (void)state;
    assert_string_equal(
        text, "queue (producer): a queue that pushes\n"
              "\n"
              "  url                        list, required, secret\n"
              "      Where to connect.\n"
              "  prefetch                   whole number, 1 to 65535\n"
              "      How many to be sent ahead.\n"
              "  bindings                   list of mappings\n"
              "      What comes into the queue.\n"
              "  bindings[].exchange        text, required\n"
              "      What to bind to.\n"
              "  bindings[].routing_key     text\n"
              "      With what.\n");
    free(text);
}

static void types_defaults_and_bounds_are_said(void **state)
{
    char *text = described("log");

    (void)state;
    assert_non_null(strstr(text, "start                      earliest | "
                                 "latest, default earliest\n"));
    assert_non_null(strstr(text, "interval                   duration, default "
                                 "1s, 1ms to 1m\n"));
    assert_non_null(strstr(text, "tls.verify                 true | false, "
                                 "default true\n"));
    free(text);
    text = described("processors");
    assert_non_null(strstr(text,
                           "timeout                    duration, or none, "
                           "default none, 1ms to 1d\n"));
    assert_non_null(strstr(text, "handler                    passthrough, "
                                 "linked, or a mapping, required\n"));
    free(text);
}

static void connectors_without_options_are_described(void **state)
{
    char *text = described("void");

    (void)state;
    assert_string_equal(text, "void (sink): nowhere\n  It has no options.\n");
    free(text);
    text = described("passthrough");
    assert_string_equal(text, "passthrough (handler): built in\n"
                              "  It has no options.\n");
    free(text);
}

static void a_group_of_the_top_level_is_described(void **state)
{
    char *text = described("failure");
    char hint[64];

    (void)state;
    assert_non_null(strstr(text, "failure (topology file): What happens"));
    assert_non_null(strstr(text, "  retry.attempts "));
    free(text);
    assert_string_equal(
        describe_suggest(&fake_connectors, "failures", hint, sizeof hint),
        " (did you mean `failure`?)");
}

static void a_name_that_isnt_known_is_near_one_that_is(void **state)
{
    char *text = described("quue");
    char hint[64];

    (void)state;
    assert_string_equal(text, "");
    free(text);
    assert_string_equal(
        describe_suggest(&fake_connectors, "quue", hint, sizeof hint),
        " (did you mean `queue`?)");
    assert_string_equal(
        describe_suggest(&fake_connectors, "xyzzy", hint, sizeof hint), "");
}

static char *reference(void)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    reference_write(out, &fake_connectors);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void the_reference_holds_every_key_of_the_file(void **state)
{
    char *text = reference();

    (void)state;
    assert_non_null(strstr(text, "| `failure.retry.backoff.max` | duration | "
                                 "`30s` | 1ms to 1d |"));
    assert_non_null(strstr(
        text, "| `failure.then` | dead_letter \\| reject \\| requeue \\| "
              "requeue_once \\| drop \\| stop | required |"));
    assert_non_null(strstr(text, "| `memory` | size, or auto | `auto` |"));
    assert_non_null(strstr(text, "| `batch_size` | whole number | `100` |"));
    assert_non_null(strstr(text, "### `queue`\n\na queue that pushes\n"));
    assert_non_null(strstr(text, "| `url` | list (secret) | required |"));
    assert_non_null(strstr(text, "### `void`\n\nnowhere\n\nNo options.\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connector_is_described_by_its_table),
        cmocka_unit_test(types_defaults_and_bounds_are_said),
        cmocka_unit_test(connectors_without_options_are_described),
        cmocka_unit_test(a_group_of_the_top_level_is_described),
        cmocka_unit_test(a_name_that_isnt_known_is_near_one_that_is),
        cmocka_unit_test(the_reference_holds_every_key_of_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
