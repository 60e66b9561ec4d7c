/*
 * sleeper.h - a worker that sleeps until it gets one message.
 */
#ifndef WEIR_TEST_SLEEPER_H
#define WEIR_TEST_SLEEPER_H

#include <pthread.h>

#include "rig.h"

struct sleeper {
    struct rig *rig;
    struct hand hand;
    int64_t woke_us;
    pthread_t thread;
};

void sleeper_begin(struct sleeper *sleeper, struct rig *rig);

/* It may be asleep or about to be: it must come in either case.  What it got is
 * done. */
void sleeper_expect_awake(struct sleeper *sleeper, int64_t before_us);

#endif
