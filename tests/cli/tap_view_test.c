/*
 * tap_view_test.c - a message as `weir tap` shows it.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap_view.h"

static int setup(void **state)
{
    *state = NULL;
    return setenv("TZ", "UTC", 1);
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static const char *shown(void **state, const char *text)
{
    json_t *message = json_loads(text, 0, NULL);
    size_t size = 0;
    FILE *out = open_memstream((char **)state, &size);

    assert_non_null(message);
    assert_non_null(out);
    tap_view(message, out);
    assert_int_equal(fclose(out), 0);
    json_decref(message);
    return *state;
}

static void one_line_says_what_became_of_it(void **state)
{
    assert_string_equal(
        shown(state, "{\"at_ms\":1795265687478,\"outcome\":\"rejected\","
                     "\"reason\":\"no total\",\"name\":\"orders\","
                     "\"partition\":3,\"position\":42,\"batcher\":\"audit\","
                     "\"attempts\":2,\"deliveries\":1,\"latency_us\":1250,"
                     "\"size\":120,\"key\":null,\"payload\":null}"),
        "12:54:47.478  rejected            1.2 ms  orders[3]@42  120 B, "
        "2 attempts, audit: no total\n");
}

static void latencies_are_short_to_read(void **state)
{
    static const struct {
        const char *json, *text;
    } spans[] = {{"{\"latency_us\":850}", " 850 us "},
                 {"{\"latency_us\":20400}", " 20 ms "},
                 {"{\"latency_us\":65000000}", " 1 min 5 s "}};

    for (unsigned i = 0; i < 3; i++) {
        assert_non_null(strstr(shown(state, spans[i].json), spans[i].text));
        free(*state);
        *state = NULL;
    }
}

/* What a terminal would obey: escape sequences of both kinds, a bell, a line
 * break, and what turns the direction of writing. */
static void nothing_in_a_message_reaches_the_terminal_as_a_command(void **state)
{
    const char *said = shown(
        state, "{\"outcome\":\"\\u001b[1m\","
               "\"name\":\"t\\u001b[2J\",\"reason\":\"\\u009b31m\\u202eab\","
               "\"key\":\"\\u0007\\u007f\\n\\t\","
               "\"payload\":\"gr\\u00fc\\u00df \\ud83d\\ude00\"}");

    assert_non_null(strstr(said, "t\\x1b[2J"));
    assert_non_null(strstr(said, ": \\x9b31m\\u202eab\n"));
    assert_non_null(strstr(said, "    key: \\x07\\x7f\\n\\t\n"));
    assert_non_null(
        strstr(said, "    payload: gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\n"));
    for (const char *at = said; *at; at++)
        assert_true((unsigned char)*at >= ' ' || *at == '\n');
}

static void what_is_no_text_is_named_as_such(void **state)
{
    assert_non_null(strstr(shown(state, "{\"payload_base64\":\"//4=\"}"),
                           "    payload_base64: //4=\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_line_says_what_became_of_it),
        TEST(latencies_are_short_to_read),
        TEST(nothing_in_a_message_reaches_the_terminal_as_a_command),
        TEST(what_is_no_text_is_named_as_such),
    };

    return cmocka_run_group_tests_name("tap_view", tests, NULL, NULL);
}
