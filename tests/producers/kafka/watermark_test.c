/*
 * watermark_test.c - a partition commits only up to its first open message.
 */
#include "test.h"

#include <stdlib.h>

#include "watermark.h"

enum { CAPACITY = 4, LARGE = 5000 };

static int setup(void **state)
{
    *state = watermark_create(CAPACITY);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    watermark_destroy(*state);
    return 0;
}

static uint64_t begin(struct watermark *mark, int64_t offset)
{
    uint64_t ticket = UINT64_MAX;

    assert_int_equal(watermark_begin(mark, offset, &ticket), WEIR_OK);
    return ticket;
}

static void nothing_settled_means_nothing_to_commit(void **state)
{
    struct watermark *mark = *state;

    (void)begin(mark, 40);

    assert_int_equal(watermark_commit_point(mark), -1);
}

static void an_open_message_holds_back_later_ones(void **state)
{
    struct watermark *mark = *state;
    uint64_t first = begin(mark, 40);
    uint64_t second = begin(mark, 41);

    assert_false(watermark_settle(mark, second));
    assert_int_equal(watermark_commit_point(mark), -1);

    assert_true(watermark_settle(mark, first));
    assert_int_equal(watermark_commit_point(mark), 42);
}

static void holes_in_the_log_are_stepped_over(void **state)
{
    struct watermark *mark = *state;
    uint64_t first = begin(mark, 40);
    uint64_t second = begin(mark, 57);

    assert_true(watermark_settle(mark, first));
    assert_int_equal(watermark_commit_point(mark), 41);
    assert_true(watermark_settle(mark, second));
    assert_int_equal(watermark_commit_point(mark), 58);
}

static void tickets_are_consecutive(void **state)
{
    struct watermark *mark = *state;

    assert_int_equal(begin(mark, 7), 0);
    assert_int_equal(begin(mark, 9), 1);
    assert_int_equal(watermark_head(mark), 0);
    assert_int_equal(watermark_tail(mark), 2);
}

static void a_full_window_asks_the_producer_to_stop(void **state)
{
    struct watermark *mark = *state;
    uint64_t ticket;

    for (int64_t offset = 0; offset < CAPACITY; offset++)
        (void)begin(mark, offset);
    assert_int_equal(watermark_begin(mark, CAPACITY, &ticket), WEIR_AGAIN);

    assert_false(watermark_settle(mark, 3));
    assert_int_equal(watermark_begin(mark, CAPACITY, &ticket), WEIR_AGAIN);
    assert_true(watermark_settle(mark, 0));
    assert_int_equal(watermark_begin(mark, CAPACITY, &ticket), WEIR_OK);
}

static void an_empty_window_follows_the_position(void **state)
{
    struct watermark *mark = *state;
    uint64_t first = begin(mark, 40);

    assert_false(watermark_advance(mark, 43));
    assert_true(watermark_settle(mark, first));
    assert_true(watermark_advance(mark, 43));
    assert_int_equal(watermark_commit_point(mark), 43);
}

static void the_position_never_moves_a_commit_back(void **state)
{
    struct watermark *mark = *state;

    assert_true(watermark_advance(mark, 43));
    assert_false(watermark_advance(mark, 43));
    assert_false(watermark_advance(mark, 12));
    assert_int_equal(watermark_commit_point(mark), 43);
}

/* Against the obvious slow way of computing the same number. */
static void random_order_agrees_with_a_full_scan(void **state)
{
    struct watermark *mark = watermark_create(LARGE);
    bool *settled = calloc(LARGE, sizeof *settled);
    uint64_t tail = 0;
    unsigned seed = 1;

    (void)state;
    assert_non_null(mark);
    assert_non_null(settled);
    for (unsigned step = 0; step < 4 * LARGE; step++) {
        seed = seed * 1103515245U + 12345U;
        const uint64_t pick = tail ? (seed >> 8) % tail : 0;
        uint64_t head = 0;

        if (tail < LARGE && (seed >> 4) % 2 == 0) {
            assert_int_equal(begin(mark, (int64_t)tail * 3), tail);
            tail++;
        } else if (tail > 0 && !settled[pick]) {
            settled[pick] = true;
            (void)watermark_settle(mark, pick);
        }
        while (head < tail && settled[head])
            head++;
        assert_int_equal(watermark_commit_point(mark),
                         head == 0 ? -1 : ((int64_t)head - 1) * 3 + 1);
    }
    free(settled);
    watermark_destroy(mark);
}

static void destroying_nothing_is_fine(void **state)
{
    (void)state;
    watermark_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_settled_means_nothing_to_commit),
        TEST(an_open_message_holds_back_later_ones),
        TEST(holes_in_the_log_are_stepped_over),
        TEST(tickets_are_consecutive),
        TEST(a_full_window_asks_the_producer_to_stop),
        TEST(an_empty_window_follows_the_position),
        TEST(the_position_never_moves_a_commit_back),
        TEST(random_order_agrees_with_a_full_scan),
        TEST(destroying_nothing_is_fine),
    };
    return cmocka_run_group_tests_name("watermark", tests, NULL, NULL);
}
