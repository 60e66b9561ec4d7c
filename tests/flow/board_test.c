/*
 * board_test.c - values that change a generation at a time, for those who look.
 */
#include "test.h"

#include <pthread.h>

#include "board.h"

enum { BATCHERS = 2, POSTS = 20000 };

static struct board board;

static int setup(void **state)
{
    (void)state;
    return board_init(&board, BATCHERS) == WEIR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    board_finish(&board);
    return 0;
}

/* Every value of a generation is the same number. */
static void post(uint32_t number)
{
    const struct retry_limits retry = {number, number, number};
    const struct batch_limits batch = {number, number, number, number};
    const struct batch_limits batches[BATCHERS] = {batch, batch};

    board_post(&board, &retry, batches);
}

static void a_view_has_what_was_posted_last_and_says_that_it_was_new(
    void **state)
{
    struct board_view view;

    (void)state;
    post(3);
    board_view_init(&view, 1);
    assert_false(board_view_is_current(&view, &board));
    assert_true(board_look(&board, &view));
    assert_int_equal(view.retry.attempts, 3);
    assert_int_equal(view.batch.batch_size, 3);
    assert_true(board_view_is_current(&view, &board));
    assert_false(board_look(&board, &view));
    post(4);
    post(5);
    assert_false(board_view_is_current(&view, &board));
    assert_int_equal(view.retry.attempts, 3); /* until it looks */
    assert_true(board_look(&board, &view));
    assert_int_equal(view.retry.attempts, 5);
}

static void a_view_of_no_batcher_has_the_rest(void **state)
{
    struct board_view view;

    (void)state;
    post(7);
    board_view_init(&view, BOARD_NO_BATCHER);
    assert_true(board_look(&board, &view));
    assert_int_equal(view.retry.backoff_max_us, 7);
    assert_int_equal(view.batch.batch_size, 0);
}

static void *post_many(void *opaque)
{
    (void)opaque;
    for (uint32_t i = 2; i <= POSTS; i++)
        post(i);
    return NULL;
}

static void nobody_sees_half_of_a_generation(void **state)
{
    struct board_view view;
    pthread_t poster;

    (void)state;
    post(1);
    board_view_init(&view, 0);
    assert_int_equal(pthread_create(&poster, NULL, post_many, NULL), 0);
    while (view.retry.attempts < POSTS) {
        if (!board_look(&board, &view))
            continue;
        assert_int_equal(view.retry.backoff_min_us, view.retry.attempts);
        assert_int_equal(view.retry.backoff_max_us, view.retry.attempts);
        assert_int_equal(view.batch.batch_size, view.retry.attempts);
        assert_int_equal(view.batch.batch_timeout_us, view.retry.attempts);
    }
    assert_int_equal(pthread_join(poster, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_view_has_what_was_posted_last_and_says_that_it_was_new),
        TEST(a_view_of_no_batcher_has_the_rest),
        TEST(nobody_sees_half_of_a_generation),
    };

    return cmocka_run_group_tests_name("board", tests, NULL, NULL);
}
