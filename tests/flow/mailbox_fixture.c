/*
 * mailbox_fixture.c - two mailboxes, those who wait for them, and letters.
 */
#include "mailbox_fixture.h"

#include <stdlib.h>

#include "test.h"

void count_wake(void *opaque)
{
    atomic_fetch_add(&((struct fixture *)opaque)->wakes, 1);
}

int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    if (!fixture)
        return -1;
    mailbox_init(&fixture->box, 0, 0, 0);
    mailbox_init(&fixture->other, 0, 0, 0);
    waiter_init(&fixture->waiter, NULL, NULL);
    waiter_init(&fixture->other_waiter, NULL, NULL);
    waiter_init(&fixture->far, count_wake, fixture);
    mail_list_init(&fixture->list);
    for (int i = 0; i < 16; i++)
        fixture->letters[i] = (struct mail){.count = 1, .size = 10};
    *state = fixture;
    return 0;
}

int teardown(void **state)
{
    struct fixture *fixture = *state;
    struct mail_list rest;

    mail_list_init(&rest);
    mailbox_take_all(&fixture->box, &rest);
    mailbox_take_all(&fixture->other, &rest);
    mailbox_finish(&fixture->box);
    mailbox_finish(&fixture->other);
    waiter_finish(&fixture->waiter);
    waiter_finish(&fixture->other_waiter);
    waiter_finish(&fixture->far);
    free(fixture);
    return 0;
}

void post_one(struct mailbox *box, struct mail *mail)
{
    struct mail_list list;

    mail_list_init(&list);
    mail_list_add(&list, mail);
    mailbox_post(box, &list);
    assert_null(list.head);
}

void set_limits(struct fixture *fixture, uint32_t letters, uint32_t messages,
                size_t bytes)
{
    fixture->box.max_letters = letters;
    fixture->box.max_messages = messages;
    fixture->box.max_bytes = bytes;
}
