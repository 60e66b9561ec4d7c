/*
 * lines_test.c - lines out of pieces of any size.
 */
#include "test.h"

#include <string.h>

#include "lines.h"

enum { LIMIT = 10 };

static int setup(void **state)
{
    *state = lines_create(LIMIT);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    lines_destroy(*state);
    return 0;
}

static void add(struct lines *lines, const char *text)
{
    while (*text) {
        size_t size;
        char *const space = lines_space(lines, &size);

        assert_true(size > 0);
        size = strlen(text) < size ? strlen(text) : size;
        memcpy(space, text, size);
        lines_added(lines, size);
        text += size;
    }
}

static void assert_next(struct lines *lines, const char *expected)
{
    struct weir_bytes line;
    size_t omitted;

    assert_true(lines_peek(lines, &line, &omitted));
    assert_non_null(line.data);
    assert_int_equal(omitted, 0);
    assert_int_equal(line.size, strlen(expected));
    assert_memory_equal(line.data, expected, line.size);
    lines_take(lines);
}

static void assert_omitted(struct lines *lines, size_t size)
{
    struct weir_bytes line;
    size_t omitted;

    assert_true(lines_peek(lines, &line, &omitted));
    assert_null(line.data);
    assert_int_equal(omitted, size);
    lines_take(lines);
}

static void assert_none(struct lines *lines)
{
    struct weir_bytes line;
    size_t omitted;

    assert_false(lines_peek(lines, &line, &omitted));
}

static void lines_end_at_newlines_and_keep_the_rest(void **state)
{
    struct lines *const lines = *state;

    add(lines, "one\n\ntwo\r\nthr");
    assert_next(lines, "one");
    assert_next(lines, "");
    assert_next(lines, "two\r");
    assert_none(lines);
    assert_int_equal(lines_left(lines), 3);
    add(lines, "ee\n");
    assert_next(lines, "three");
    assert_none(lines);
    assert_int_equal(lines_left(lines), 0);
}

static void pieces_of_one_byte_make_the_same_lines(void **state)
{
    struct lines *const lines = *state;
    const char text[] = "ab\ncd\n";

    for (size_t i = 0; i + 1 < sizeof text; i++) {
        const char piece[] = {text[i], '\0'};

        if (text[i] != '\n')
            assert_none(lines);
        add(lines, piece);
        if (i == 2)
            assert_next(lines, "ab");
    }
    assert_next(lines, "cd");
}

static void what_follows_the_last_newline_is_a_line(void **state)
{
    struct lines *const lines = *state;

    add(lines, "one\ntwo");
    assert_next(lines, "one");
    assert_none(lines);
    lines_end(lines);
    assert_next(lines, "two");
    assert_none(lines);
}

static void nothing_follows_a_final_newline(void **state)
{
    struct lines *const lines = *state;

    add(lines, "one\n");
    lines_end(lines);
    assert_next(lines, "one");
    assert_none(lines);
}

static void a_line_at_the_limit_is_kept(void **state)
{
    struct lines *const lines = *state;

    add(lines, "0123456789");
    assert_none(lines);
    add(lines, "\n");
    assert_next(lines, "0123456789");
}

static void a_line_above_the_limit_is_omitted_with_its_size(void **state)
{
    struct lines *const lines = *state;

    add(lines, "0123456789a\nok\n");
    assert_omitted(lines, 11);
    assert_next(lines, "ok");
}

static void a_huge_line_takes_no_more_memory_than_the_limit(void **state)
{
    struct lines *const lines = *state;
    char piece[4097];

    memset(piece, 'x', sizeof piece - 1);
    piece[sizeof piece - 1] = '\0';
    for (size_t i = 0; i < 1000; i++) {
        add(lines, piece);
        assert_none(lines);
    }
    add(lines, "y\nok\n");
    assert_omitted(lines, 1000 * 4096 + 1);
    assert_next(lines, "ok");
}

static void a_huge_last_line_is_omitted_too(void **state)
{
    struct lines *const lines = *state;

    add(lines, "0123456789abcdef");
    assert_none(lines);
    lines_end(lines);
    assert_omitted(lines, 16);
    assert_none(lines);
}

static void a_line_stays_the_next_one_until_it_is_taken(void **state)
{
    struct lines *const lines = *state;
    struct weir_bytes line;
    size_t omitted;

    add(lines, "one\ntwo\n");
    assert_true(lines_peek(lines, &line, &omitted));
    assert_true(lines_peek(lines, &line, &omitted));
    assert_next(lines, "one");
    assert_next(lines, "two");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_end_at_newlines_and_keep_the_rest),
        TEST(pieces_of_one_byte_make_the_same_lines),
        TEST(what_follows_the_last_newline_is_a_line),
        TEST(nothing_follows_a_final_newline),
        TEST(a_line_at_the_limit_is_kept),
        TEST(a_line_above_the_limit_is_omitted_with_its_size),
        TEST(a_huge_line_takes_no_more_memory_than_the_limit),
        TEST(a_huge_last_line_is_omitted_too),
        TEST(a_line_stays_the_next_one_until_it_is_taken),
    };

    return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
