/*
 * demo_book_test.c - the demo finds what is lost.
 */
#include "test.h"

#include <string.h>

#include "demo_book.h"
#include "demo_feed.h"

enum { CAPACITY = 100 };

static int setup(void **state)
{
    struct demo_book *book = demo_book_create(CAPACITY);

    if (!book)
        return -1;
    for (uint64_t id = 0; id < CAPACITY; id++) {
        demo_book_sent(book, id);
        demo_book_confirmed(book, id);
    }
    *state = book;
    return 0;
}

static int teardown(void **state)
{
    demo_book_destroy(*state);
    return 0;
}

/* All but `missing`, as a working pipeline would. */
static void deliver_all_but(struct demo_book *book, uint64_t missing)
{
    for (uint64_t id = 0; id < CAPACITY; id++)
        if (id != missing)
            demo_book_arrived(book, id, demo_feed_is_broken(id));
}

static void all_that_arrived_is_not_lost(void **state)
{
    struct demo_result result;

    deliver_all_but(*state, CAPACITY);
    demo_book_compare(*state, &result);
    assert_int_equal(result.lost, 0);
    assert_int_equal(result.misjudged, 0);
    assert_int_equal(result.delivered + result.rejected, CAPACITY);
}

static void one_that_is_missing_is_found_and_named(void **state)
{
    struct demo_result result;

    deliver_all_but(*state, 42);
    demo_book_compare(*state, &result);
    assert_int_equal(result.lost, 1);
    assert_int_equal(result.first_lost, 42);
}

static void one_that_was_not_confirmed_is_not_lost(void **state)
{
    struct demo_book *book = demo_book_create(2);
    struct demo_result result;

    (void)state;
    demo_book_sent(book, 0);
    demo_book_sent(book, 1);
    demo_book_confirmed(book, 0);
    demo_book_arrived(book, 0, false);
    demo_book_compare(book, &result);
    assert_int_equal(result.lost, 0);
    assert_int_equal(result.confirmed, 1);
    demo_book_destroy(book);
}

static void one_that_comes_twice_does_not_hide_another(void **state)
{
    struct demo_result result;

    deliver_all_but(*state, 42);
    demo_book_arrived(*state, 41, false);
    demo_book_compare(*state, &result);
    assert_int_equal(result.repeated, 1);
    assert_int_equal(result.lost, 1);
}

static void what_was_judged_wrongly_does_not_count_as_arrived(void **state)
{
    struct demo_result result;

    deliver_all_but(*state, 42);
    demo_book_arrived(*state, 42, true);
    demo_book_arrived(*state, CAPACITY + 7, false);
    demo_book_compare(*state, &result);
    assert_int_equal(result.misjudged, 2);
    assert_int_equal(result.lost, 1);
}

static void a_line_is_the_same_each_time_and_some_are_cut_off(void **state)
{
    char first[DEMO_FEED_LINE_MAX], second[DEMO_FEED_LINE_MAX];
    unsigned broken = 0;

    (void)state;
    for (uint64_t id = 0; id < CAPACITY; id++) {
        const size_t size = demo_feed_line(id, first);

        assert_int_equal(demo_feed_line(id, second), size);
        assert_memory_equal(first, second, size);
        broken += demo_feed_is_broken(id);
        assert_int_equal(first[size - 1] == '"', !demo_feed_is_broken(id));
    }
    assert_int_equal(broken, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_that_arrived_is_not_lost),
        TEST(one_that_is_missing_is_found_and_named),
        TEST(one_that_was_not_confirmed_is_not_lost),
        TEST(one_that_comes_twice_does_not_hide_another),
        TEST(what_was_judged_wrongly_does_not_count_as_arrived),
        TEST(a_line_is_the_same_each_time_and_some_are_cut_off),
    };
    return cmocka_run_group_tests_name("demo_book", tests, NULL, NULL);
}
