/*
 * sleeper.c - a worker that sleeps until it gets one message.
 *
 * Threads: its own, from begin until it is awake.
 */
#include "sleeper.h"

#include "clock.h"
#include "test.h"

static void *sleep_for_work(void *opaque)
{
    struct sleeper *sleeper = opaque;
    const int64_t deadline = clock_after_us(10 * CLOCK_SECOND_US);

    do
        (void)ready_take(sleeper->rig->ready, &sleeper->hand, CHUNK_SLOTS,
                         deadline);
    while (sleeper->hand.count == 0 && clock_now_us() < deadline);
    sleeper->woke_us = clock_now_us();
    return NULL;
}

void sleeper_begin(struct sleeper *sleeper, struct rig *rig)
{
    *sleeper = (struct sleeper){.rig = rig};
    assert_int_equal(
        pthread_create(&sleeper->thread, NULL, sleep_for_work, sleeper), 0);
}

void sleeper_expect_awake(struct sleeper *sleeper, int64_t before_us)
{
    assert_int_equal(pthread_join(sleeper->thread, NULL), 0);
    assert_int_equal(sleeper->hand.count, 1);
    assert_true(sleeper->woke_us < before_us);
    rig_finish_hand(sleeper->rig, &sleeper->hand, ENDING_DONE);
}
