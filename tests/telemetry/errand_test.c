/*
 * errand_test.c - a thread that is late is left behind, and cleans up.
 */
#include "test.h"

#include <pthread.h>

#include "clock.h"
#include "errand.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool may_come_back, is_outside, is_destroyed, was_left;
} world = {PTHREAD_MUTEX_INITIALIZER,
           PTHREAD_COND_INITIALIZER,
           false,
           false,
           false,
           false};

static int setup(void **state)
{
    (void)state;
    world.may_come_back = world.is_outside = false;
    world.is_destroyed = world.was_left = false;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return 0;
}

static void set(bool *flag)
{
    (void)pthread_mutex_lock(&world.lock);
    *flag = true;
    (void)pthread_cond_broadcast(&world.changed);
    (void)pthread_mutex_unlock(&world.lock);
}

static void await(const bool *flag)
{
    (void)pthread_mutex_lock(&world.lock);
    while (!*flag)
        (void)pthread_cond_wait(&world.changed, &world.lock);
    (void)pthread_mutex_unlock(&world.lock);
}

static void destroy(void *self)
{
    assert_ptr_equal(self, &world);
    set(&world.is_destroyed);
}

static void wait_for_the_end(void *self, struct errand *errand)
{
    (void)self;
    while (!errand_wait(errand, CLOCK_NEVER_US))
        ;
}

static void stay_outside(void *self, struct errand *errand)
{
    (void)self;
    errand_go_out(errand);
    set(&world.is_outside);
    await(&world.may_come_back);
    world.was_left = !errand_come_back(errand);
}

static struct errand *start(void (*run)(void *self, struct errand *errand))
{
    const struct errand_config config = {.name = "errand",
                                         .pipeline = "test",
                                         .self = &world,
                                         .run = run,
                                         .destroy = destroy};
    struct errand *errand = NULL;
    struct weir_error err;

    assert_int_equal(errand_start(&config, &errand, &err), WEIR_OK);
    return errand;
}

static void it_ends_when_asked_to(void **state)
{
    struct errand *errand = start(wait_for_the_end);

    (void)state;
    errand_stop(errand, 0);
    assert_true(world.is_destroyed);
}

static void one_that_is_outside_is_left_behind_and_cleans_up(void **state)
{
    struct errand *errand = start(stay_outside);

    (void)state;
    await(&world.is_outside);
    errand_stop(errand, 10000);
    assert_false(world.is_destroyed);
    set(&world.may_come_back);
    await(&world.is_destroyed);
    assert_true(world.was_left);
}

static void one_that_comes_back_in_time_is_waited_for(void **state)
{
    struct errand *errand = start(stay_outside);

    (void)state;
    await(&world.is_outside);
    set(&world.may_come_back);
    errand_stop(errand, 60 * CLOCK_SECOND_US);
    assert_true(world.is_destroyed);
    assert_false(world.was_left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_ends_when_asked_to),
        TEST(one_that_is_outside_is_left_behind_and_cleans_up),
        TEST(one_that_comes_back_in_time_is_waited_for),
    };

    return cmocka_run_group_tests_name("errand", tests, NULL, NULL);
}
