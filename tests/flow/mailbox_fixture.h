/*
 * mailbox_fixture.h - two mailboxes, those who wait for them, and letters.
 */
#ifndef WEIR_TEST_MAILBOX_FIXTURE_H
#define WEIR_TEST_MAILBOX_FIXTURE_H

#include <stdatomic.h>

#include "mailbox.h"

struct fixture {
    struct mailbox box, other;
    struct waiter waiter, other_waiter, far;
    struct mail letters[16];
    struct mail_list list;
    _Atomic unsigned wakes; /* of `far` */
};

/* For TEST(): `*state` is the fixture. */
int setup(void **state);
int teardown(void **state);

/* `opaque` is the fixture: what `far` does when it is woken. */
void count_wake(void *opaque);

void post_one(struct mailbox *box, struct mail *mail);

/* Of `box`. */
void set_limits(struct fixture *fixture, uint32_t letters, uint32_t messages,
                size_t bytes);

#endif
