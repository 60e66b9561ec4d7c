/*
 * mailbox.h - the one way from a stage instance to another.
 */
#ifndef WEIR_FLOW_MAILBOX_H
#define WEIR_FLOW_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <weir/status.h>

#include "mail.h"

/* One thread that sleeps for mail.  Lives in the sleeper. */
struct waiter {
    struct waiter *next;
    uint32_t threshold; /* messages that are worth a wake-up */
    bool is_listed;
    bool is_woken;
    pthread_cond_t cond;
    void (*wake)(void *opaque); /* NULL: it sleeps on `cond` */
    void *opaque;
};

void waiter_init(struct waiter *waiter, void (*wake)(void *opaque),
                 void *opaque);
void waiter_finish(struct waiter *waiter);

struct mailbox {
    pthread_mutex_t lock;
    struct mail_list mail;
    uint32_t letters;
    uint32_t max_letters, max_messages; /* 0: room by construction */
    size_t max_bytes;
    struct waiter *readers; /* asleep until mail comes */
    struct waiter *writers; /* asleep until there is room */
    bool is_interrupted;    /* the next wait returns at once */
};

/* 0: no limit of that kind, because what can be in flight is limited before. */
void mailbox_init(struct mailbox *box, uint32_t max_letters,
                  uint32_t max_messages, size_t max_bytes);
void mailbox_finish(struct mailbox *box); /* INVARIANT: empty */

/* Takes all of `list`, never refuses, never blocks. */
void mailbox_post(struct mailbox *box, struct mail_list *list);

/* WEIR_OK: took all of `list`; WEIR_AGAIN: full, nothing taken.  An empty box
 * takes anything, so a letter over the limits can't be stuck. */
WEIR_MUST_USE
enum weir_status mailbox_offer(struct mailbox *box, struct mail_list *list);

/* Everything that waits, appended to `list`. */
void mailbox_take_all(struct mailbox *box, struct mail_list *list);

/* The oldest letter, or NULL. */
struct mail *mailbox_take(struct mailbox *box);

/* Takes out each letter of which `wants` says so.  `wants` runs under the
 * lock: it only looks. */
void mailbox_sift(struct mailbox *box,
                  bool (*wants)(const struct mail *mail, const void *opaque),
                  const void *opaque, struct mail_list *list);

/* Returns at the latest at the deadline, or when `threshold` messages wait, or
 * when interrupted. */
void mailbox_wait(struct mailbox *box, struct waiter *waiter,
                  uint32_t threshold, int64_t deadline_us);

/* Until there may be room for `list`, or the deadline. */
void mailbox_wait_room(struct mailbox *box, struct waiter *waiter,
                       const struct mail_list *list, int64_t deadline_us);

/*
 * For a sleep elsewhere (in a client library) that waiter.wake() can end:
 * false when there is mail already.  disarm() after the sleep, always.
 */
bool mailbox_arm(struct mailbox *box, struct waiter *waiter,
                 uint32_t threshold);
void mailbox_disarm(struct mailbox *box, struct waiter *waiter);

/* Makes the reader return from its wait, or from its next one. */
void mailbox_interrupt(struct mailbox *box);

/* At its limit, or above it by what was posted. */
bool mailbox_is_full(struct mailbox *box);

/* Until it is not, or the deadline. */
void mailbox_wait_emptier(struct mailbox *box, struct waiter *waiter,
                          int64_t deadline_us);

uint32_t mailbox_count(struct mailbox *box);

/* What is in it, what fits, and how many threads sleep at either end. */
struct mailbox_view {
    uint32_t messages, letters;
    size_t bytes;
    uint32_t max_messages, max_letters; /* 0: no limit */
    size_t max_bytes;
    uint32_t readers, writers;
};
void mailbox_look(struct mailbox *box, struct mailbox_view *ret_view);

#endif
