/*
 * waker_test.c - wakes that come before, during and after a wait.
 */
#include "test.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "waker.h"

enum { ROUNDS = 200 };

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct waker));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    waker_close(*state);
    free(*state);
    return 0;
}

static void open_waker(struct waker *waker)
{
    assert_int_equal(waker_open(waker, NULL), WEIR_OK);
}

static void nothing_happens_until_the_deadline(void **state)
{
    open_waker(*state);
    assert_int_equal(waker_wait(*state, -1, 0, clock_now_us()), 0);
}

static void a_wake_ends_one_wait(void **state)
{
    open_waker(*state);
    waker_wake(*state);
    waker_wake(*state);
    assert_int_equal(waker_wait(*state, -1, 0, CLOCK_NEVER_US), WAKER_WOKEN);
    assert_int_equal(waker_wait(*state, -1, 0, clock_now_us()), 0);
}

static void a_wake_before_the_open_ends_the_first_wait(void **state)
{
    waker_wake(*state);
    open_waker(*state);
    assert_int_equal(waker_wait(*state, -1, 0, CLOCK_NEVER_US), WAKER_WOKEN);
}

static void a_file_that_is_ready_ends_a_wait(void **state)
{
    int ends[2];

    open_waker(*state);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(waker_wait(*state, ends[0], POLLIN, clock_now_us()), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(waker_wait(*state, ends[0], POLLIN, CLOCK_NEVER_US),
                     WAKER_READY);
    waker_wake(*state);
    assert_int_equal(waker_wait(*state, ends[0], POLLIN, CLOCK_NEVER_US),
                     WAKER_READY | WAKER_WOKEN);
    close(ends[0]);
    close(ends[1]);
}

static void *wake_many(void *opaque)
{
    for (int i = 0; i < ROUNDS; i++)
        waker_wake(opaque);
    return NULL;
}

static void wakes_may_come_while_it_opens_and_closes(void **state)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, wake_many, *state), 0);
    for (int i = 0; i < ROUNDS; i++) {
        open_waker(*state);
        waker_close(*state);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    /* The last wake came to a closed one, or was taken by none. */
    waker_wake(*state);
    open_waker(*state);
    assert_int_equal(waker_wait(*state, -1, 0, CLOCK_NEVER_US), WAKER_WOKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_happens_until_the_deadline),
        TEST(a_wake_ends_one_wait),
        TEST(a_wake_before_the_open_ends_the_first_wait),
        TEST(a_file_that_is_ready_ends_a_wait),
        TEST(wakes_may_come_while_it_opens_and_closes),
    };

    return cmocka_run_group_tests_name("waker", tests, NULL, NULL);
}
