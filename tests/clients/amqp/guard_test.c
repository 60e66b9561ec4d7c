/*
 * guard_test.c - no wake() is lost, whatever its reader does meanwhile.
 */
#include "test.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "guard.h"

enum { NAP_US = 20 * 1000 };

static bool is_signalled(const struct amqp_guard *guard)
{
    struct pollfd fd = {.fd = amqp_guard_fd(guard), .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

static void *wake(void *opaque)
{
    amqp_guard_wake(opaque);
    return NULL;
}

static int setup(void **state)
{
    struct amqp_guard *guard = calloc(1, sizeof *guard);

    *state = guard;
    return guard && amqp_guard_open(guard, NULL) == WEIR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    amqp_guard_close(*state);
    free(*state);
    return 0;
}

static void a_wake_is_taken_once(void **state)
{
    struct amqp_guard *guard = *state;

    amqp_guard_wake(guard);
    assert_true(is_signalled(guard));
    assert_true(amqp_guard_take(guard));
    assert_false(amqp_guard_take(guard));
    assert_false(is_signalled(guard));
}

static void a_wake_before_a_nap_is_noticed(void **state)
{
    struct amqp_guard *guard = *state;

    amqp_guard_wake(guard);
    assert_true(amqp_guard_nap(guard, NAP_US));
    assert_false(amqp_guard_take(guard));
    assert_false(is_signalled(guard));
}

/* Also if the thread is faster, or slower, than the nap. */
static void a_wake_during_a_nap_is_noticed(void **state)
{
    struct amqp_guard *guard = *state;
    bool was_woken;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, wake, guard), 0);
    was_woken = amqp_guard_nap(guard, NAP_US);
    (void)pthread_join(thread, NULL);
    assert_true(was_woken != amqp_guard_take(guard));
    assert_false(is_signalled(guard));
}

static void after_a_nap_a_wake_is_signalled(void **state)
{
    struct amqp_guard *guard = *state;

    assert_false(amqp_guard_nap(guard, 1));
    amqp_guard_wake(guard);
    assert_true(is_signalled(guard));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wake_is_taken_once),
        TEST(a_wake_before_a_nap_is_noticed),
        TEST(a_wake_during_a_nap_is_noticed),
        TEST(after_a_nap_a_wake_is_signalled),
    };
    return cmocka_run_group_tests_name("amqp_guard", tests, NULL, NULL);
}
