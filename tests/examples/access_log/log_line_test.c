/*
 * log_line_test.c - what is a log line, what isn't, and what becomes of it.
 *
 * Every line is parsed in a block of exactly its size, and written into one of
 * exactly the bound, so that the address sanitizer sees a byte too many.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "log_line.h"
#include "log_line_json.h"
#include "test.h"

enum { MUTATIONS = 200000, LINE_SIZE = 512 };

static const char ordinary[] =
    "192.0.2.7 - ann [17/May/2015:10:05:03 +0000] \"GET /a?b=c HTTP/1.1\" 200 "
    "203023 \"http://example.org/\" \"Mozilla/5.0 (X11)\"";
static const char escaped[] =
    "2001:db8::1 - EXAMPLE\\\\ann [01/Jan/2016:23:59:60 -0330] \"GET "
    "/\\xe4\\\"\\\\ HTTP/1.0\" 304 - \"-\" \"say \\\"hi\\\" \\\\ \\x01\"";

/* JSON text of a line, new; NULL when it is none, and `ret_fault` says why. */
static char *convert(const char *text, size_t size, size_t *ret_size,
                     struct log_fault *ret_fault)
{
    char *copy = malloc(size > 0 ? size : 1);
    struct log_line line;
    char *out = NULL;

    assert_non_null(copy);
    memcpy(copy, text, size);
    if (log_line_parse((struct weir_bytes){copy, size}, &line, ret_fault)) {
        const size_t bound = log_line_json_bound(&line);

        out = malloc(bound);
        assert_non_null(out);
        *ret_size = log_line_json_write(&line, out);
        assert_true(*ret_size <= bound);
    }
    free(copy);
    return out;
}

static json_t *object_of(const char *text, size_t size)
{
    struct log_fault fault;
    size_t json_size = 0;
    char *json = convert(text, size, &json_size, &fault);
    json_t *object = NULL;

    if (json) {
        object = json_loadb(json, json_size, JSON_ALLOW_NUL, NULL);
        assert_non_null(object);
        assert_int_equal(json_object_size(object), 10);
    }
    free(json);
    return object;
}

static void assert_converts_to(const char *text, const char *expected)
{
    struct log_fault fault = {0};
    size_t size = 0;
    char *json = convert(text, strlen(text), &size, &fault);

    if (!json)
        fail_msg("column %zu: %s: %s", fault.column, fault.field,
                 fault.problem);
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(json, expected, size);
    free(json);
}

static void a_line_becomes_an_object_with_all_its_fields(void **state)
{
    (void)state;
    assert_converts_to(
        ordinary,
        "{\"host\":\"192.0.2.7\",\"user\":\"ann\","
        "\"time\":\"17/May/2015:10:05:03 +0000\",\"method\":\"GET\","
        "\"path\":\"/a?b=c\",\"protocol\":\"HTTP/1.1\",\"status\":200,"
        "\"bytes\":203023,\"referer\":\"http://example.org/\","
        "\"agent\":\"Mozilla/5.0 (X11)\"}");
}

static void escaped_quotes_and_backslashes_are_undone(void **state)
{
    (void)state;
    assert_converts_to(
        escaped, "{\"host\":\"2001:db8::1\",\"user\":\"EXAMPLE\\\\ann\","
                 "\"time\":\"01/Jan/2016:23:59:60 -0330\",\"method\":\"GET\","
                 "\"path\":\"/\\\\xe4\\\"\\\\\",\"protocol\":\"HTTP/1.0\","
                 "\"status\":304,\"bytes\":null,\"referer\":\"-\","
                 "\"agent\":\"say \\\"hi\\\" \\\\ \\\\x01\"}");
}

/* What the log has as the user agent, and what a reader of the JSON gets. */
static const struct {
    const char *in, *out;
} agents[] = {
    {"", ""},
    {"-", "-"},
    {"a b", "a b"},
    {"\\\"", "\""},
    {"\\\\", "\\"},
    {"\\\\\\\"", "\\\""},
    {"\\\\\\\\", "\\\\"},
    {"\\xe4", "\\xe4"},
    {"\\xE4\\x", "\\xE4\\x"},
    {"\\x22", "\\x22"},
    {"\\\\xe4", "\\xe4"},
    {"\\n\\t\\q\\u0041", "\\n\\t\\q\\u0041"},
    {"\\\x01", "\\\x01"},
    {"\t\r\n\x1f\x7f", "\t\r\n\x1f\x7f"},
    {"/\\/", "/\\/"},
    {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
    {"\xe2\x82\xac\xf0\x9f\x99\x82", "\xe2\x82\xac\xf0\x9f\x99\x82"},
    {"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
     "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"},
    {"\xe4", "\\xe4"},                            /* Latin-1 */
    {"\xc3", "\\xc3"},                            /* cut off */
    {"\xe2\x82", "\\xe2\\x82"},                   /* cut off */
    {"\xf0\x9f\x99z", "\\xf0\\x9f\\x99z"},        /* cut off */
    {"\x80", "\\x80"},                            /* no first byte */
    {"\xc0\xaf", "\\xc0\\xaf"},                   /* too long for / */
    {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},          /* too long for / */
    {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"}, /* too long for / */
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* a surrogate */
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond U+10FFFF */
    {"\xff\xc3\xbc\xfe", "\\xff\xc3\xbc\\xfe"},   /* between others */
};

static void every_escape_and_every_encoding_arrives_unharmed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
        char text[LINE_SIZE];
        json_t *object;
        const char *agent = NULL;

        (void)snprintf(text, sizeof(text),
                       "h - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" "
                       "200 1 \"-\" \"%s\"",
                       agents[i].in);

        object = object_of(text, strlen(text));

        assert_non_null(object);
        assert_int_equal(json_unpack(object, "{s:s}", "agent", &agent), 0);
        assert_string_equal(agent, agents[i].out);
        json_decref(object);
    }
}

static void a_nul_byte_is_a_byte_like_any_other(void **state)
{
    static const char text[] = "h - - [17/May/2015:10:05:03 +0000] \"GET / "
                               "HTTP/1.1\" 200 1 \"-\" \"a\0b\"";
    json_t *object = object_of(text, sizeof(text) - 1);

    (void)state;
    assert_non_null(object);
    assert_int_equal(json_string_length(json_object_get(object, "agent")), 3);
    json_decref(object);
}

#define FRONT "h - - "
#define TIME  FRONT "[17/May/2015:10:05:03 +0000] "
#define REQ   TIME "\"GET / HTTP/1.1\" "
#define REFER REQ "200 1 \"-\" "

/* Lines that are none: the fault is where `before` and `after` meet. */
static const struct {
    const char *before, *after;
    const char *field, *problem;
} faults[] = {
    {"", "", "host", "missing"},
    {"", " - - [", "host", "missing"},
    {"h", "", "host", "no space behind it"},
    {"h", "\t- -", "host", "no space behind it"},
    {"h ", "", "ident", "missing"},
    {"h ", " - [", "ident", "missing"},
    {"h - ", "", "user", "missing"},
    {"h - -", "", "user", "no space behind it"},
    {FRONT, "", "time", "no opening bracket"},
    {FRONT, "extra [17/May", "time", "no opening bracket"},
    {FRONT "[", "", "time", "not like 17/May/2015:10:05:03 +0000"},
    {FRONT "[17/", "05/2015", "time", "not like 17/May/2015:10:05:03 +0000"},
    {FRONT "[", "32/May/2015:10:05:03 +0000]", "time", "no such time"},
    {FRONT "[", "00/May/2015:10:05:03 +0000]", "time", "no such time"},
    {FRONT "[", "17/Mai/2015:10:05:03 +0000]", "time", "no such time"},
    {FRONT "[", "17/nFe/2015:10:05:03 +0000]", "time", "no such time"},
    {FRONT "[", "17/May/2015:24:05:03 +0000]", "time", "no such time"},
    {FRONT "[", "17/May/2015:10:60:03 +0000]", "time", "no such time"},
    {FRONT "[", "17/May/2015:10:05:61 +0000]", "time", "no such time"},
    {FRONT "[17/May/2015:10:05:03 +0000", " ", "time", "no closing bracket"},
    {FRONT "[17/May/2015:10:05:03 +0000]", "", "time", "no space behind it"},
    {TIME, "GET / HTTP/1.1", "request", "no opening quote"},
    {TIME "\"GET / HTTP/1.1", "", "request", "no closing quote"},
    {TIME "\"GET / HTTP/1.1\\\" 200 1 ", "", "request", "no closing quote"},
    {TIME "\"", "\" 400 0 \"-\" \"-\"", "request",
     "no method, path and protocol"},
    {TIME "\"-", "\" 408 - \"-\" \"-\"", "request",
     "no method, path and protocol"},
    {TIME "\"GET ", "/\" 200 1 \"-\" \"-\"", "request",
     "no path or no protocol"},
    {TIME "\"GET ", " HTTP/1.1\" 200 1", "request", "no path or no protocol"},
    {TIME "\"", "\\x16\\x03 / HTTP/1.1\" 400 0", "method", "not a word"},
    {TIME "\"", " / HTTP/1.1\" 400 0", "method", "not a word"},
    {TIME "\"GET /a ", "b\" 200 1", "protocol", "not like HTTP/1.1"},
    {TIME "\"GET / ", "/1.1\" 200 1", "protocol", "not like HTTP/1.1"},
    {TIME "\"GET / ", "HTTP/\" 200 1", "protocol", "not like HTTP/1.1"},
    {TIME "\"GET / ", "HTTP/1.x\" 200 1", "protocol", "not like HTTP/1.1"},
    {TIME "\"GET / ", "H2/1\" 200 1", "protocol", "not like HTTP/1.1"},
    {TIME "\"GET / HTTP/1.1\"", "200", "request", "no space behind it"},
    {REQ, "- 1", "status", "not three digits"},
    {REQ "20", " 1", "status", "not three digits"},
    {REQ, "099 1", "status", "not from 100 to 599"},
    {REQ, "600 1", "status", "not from 100 to 599"},
    {REQ "200", "0 1", "status", "no space behind it"},
    {REQ "200 ", "\"-\"", "bytes", "neither a number nor -"},
    {REQ "200 ", "9223372036854775808 \"-\"", "bytes", "too large"},
    {REQ "200 -", "1 \"-\"", "bytes", "no space behind it"},
    {REQ "200 1", ".5 \"-\"", "bytes", "no space behind it"},
    {REQ "200 1 ", "- \"-\"", "referer", "no opening quote"},
    {REQ "200 1 \"-\"", "\"-\"", "referer", "no space behind it"},
    {REFER, "", "agent", "no opening quote"},
    {REFER "\"Mozilla", "", "agent", "no closing quote"},
    {REFER "\"\\\"", "", "agent", "no closing quote"},
    {REFER "\"\\", "", "agent", "no closing quote"},
    {REFER "\"-\"", " 17", "agent", "something behind it"},
    {REFER "\"-\"", "\n\n", "agent", "something behind it"},
};

static void what_is_no_log_line_is_refused_at_its_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        char text[LINE_SIZE];
        struct log_fault fault = {0};
        size_t size = 0;
        char *json;

        (void)snprintf(text, sizeof(text), "%s%s", faults[i].before,
                       faults[i].after);

        json = convert(text, strlen(text), &size, &fault);

        if (json)
            fail_msg("accepted: %s", text);
        assert_string_equal(fault.field, faults[i].field);
        assert_string_equal(fault.problem, faults[i].problem);
        assert_int_equal(fault.column, strlen(faults[i].before) + 1);
    }
}

static void a_line_may_end_in_a_newline(void **state)
{
    static const char *const ends[] = {"", "\n", "\r\n", "\r"};

    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        char text[LINE_SIZE];
        json_t *object;

        (void)snprintf(text, sizeof(text), "%s%s", ordinary, ends[i]);

        object = object_of(text, strlen(text));

        assert_non_null(object);
        assert_string_equal(json_string_value(json_object_get(object, "agent")),
                            "Mozilla/5.0 (X11)");
        json_decref(object);
    }
}

static void a_path_may_have_spaces_and_the_largest_size_is_kept(void **state)
{
    const char *path = NULL;
    json_int_t bytes = 0;
    json_t *object;
    static const char text[] =
        TIME "\"GET /a b  c HTTP/1.1\" 200 9223372036854775807 \"-\" \"-\"";

    (void)state;
    object = object_of(text, sizeof(text) - 1);

    assert_non_null(object);
    assert_int_equal(
        json_unpack(object, "{s:s,s:I}", "path", &path, "bytes", &bytes), 0);
    assert_string_equal(path, "/a b  c");
    assert_true(bytes == INT64_MAX);
    json_decref(object);
}

static void every_truncation_is_refused_at_a_column_of_the_line(void **state)
{
    static const char *const lines[] = {ordinary, escaped};

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        for (size_t size = 0; size < strlen(lines[i]); size++) {
            struct log_fault fault = {0};
            size_t json_size = 0;

            assert_null(convert(lines[i], size, &json_size, &fault));
            assert_in_range(fault.column, 1, size + 1);
            assert_non_null(fault.field);
            assert_non_null(fault.problem);
        }
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* One to four bytes replaced, removed, doubled. */
static size_t mutate(char *text, size_t size, uint64_t *random)
{
    static const char favourites[] = "\"\\ []-:/0x\n\xc3\xff";

    for (uint64_t count = next_random(random) % 4 + 1; count > 0; count--) {
        const size_t at = next_random(random) % size;

        switch (next_random(random) % 4) {
        case 0:
            text[at] = (char)next_random(random);
            break;
        case 1:
            text[at] = favourites[next_random(random) % sizeof(favourites)];
            break;
        case 2:
            memmove(text + at, text + at + 1, size - at - 1);
            size--;
            break;
        default:
            memmove(text + at + 1, text + at, size - at);
            size++;
            break;
        }
    }
    return size;
}

static void damaged_lines_are_refused_or_give_valid_json(void **state)
{
    uint64_t random = 20150517;
    unsigned accepted = 0, refused = 0;

    (void)state;
    for (int i = 0; i < MUTATIONS; i++) {
        const char *line = i % 2 == 0 ? ordinary : escaped;
        char text[LINE_SIZE];
        struct log_fault fault = {0};
        size_t json_size = 0;
        size_t size = strlen(line);
        char *json;

        (void)snprintf(text, sizeof(text), "%s", line);
        size = mutate(text, size, &random);
        json = convert(text, size, &json_size, &fault);
        if (json) {
            json_t *object = json_loadb(json, json_size, JSON_ALLOW_NUL, NULL);

            assert_non_null(object);
            json_decref(object);
            accepted++;
        } else {
            assert_in_range(fault.column, 1, size + 1);
            refused++;
        }
        free(json);
    }
    assert_true(accepted > MUTATIONS / 10 && refused > MUTATIONS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_becomes_an_object_with_all_its_fields),
        cmocka_unit_test(escaped_quotes_and_backslashes_are_undone),
        cmocka_unit_test(every_escape_and_every_encoding_arrives_unharmed),
        cmocka_unit_test(a_nul_byte_is_a_byte_like_any_other),
        cmocka_unit_test(what_is_no_log_line_is_refused_at_its_column),
        cmocka_unit_test(a_line_may_end_in_a_newline),
        cmocka_unit_test(a_path_may_have_spaces_and_the_largest_size_is_kept),
        cmocka_unit_test(every_truncation_is_refused_at_a_column_of_the_line),
        cmocka_unit_test(damaged_lines_are_refused_or_give_valid_json),
    };
    return cmocka_run_group_tests_name("log_line", tests, NULL, NULL);
}
