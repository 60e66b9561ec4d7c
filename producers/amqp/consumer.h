/*
 * consumer.h - the consuming channel: frames in, acknowledgements out.
 */
#ifndef WEIR_PRODUCERS_AMQP_CONSUMER_H
#define WEIR_PRODUCERS_AMQP_CONSUMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/settings.h>

#include "acks.h"
#include "assembly.h"
#include "link.h"

/* From open to close; zeroed is closed. */
struct consumer {
    struct amqp_link link;
    struct assembly assembly;
    struct acks *acks;
    unsigned prefetch;
    const char *queue, *tag;             /* borrowed from the settings */
    struct delivery *stash, **stash_end; /* read, not offered; oldest first */
    size_t stashed;
    uint64_t asked, answered; /* passive declares: round trips */
    int64_t ready;            /* messages in the queue, by the last answer */
    unsigned completed;       /* messages since pages were given back */
    bool is_channel_closed;   /* by the broker */
    bool is_cancelling, is_cancelled; /* by us, said and confirmed */
    bool is_write_blocked; /* the socket is full: wait for POLLOUT too */
};

/* Connects, declares, consumes.  When it fails, consumer_close() is called. */
WEIR_MUST_USE
enum weir_status consumer_open(struct consumer *consumer,
                               const struct amqp_url *url,
                               const struct amqp_link_options *options,
                               const struct weir_settings *settings,
                               struct amqp_guard *guard,
                               struct weir_error *err);

/* Writes what is settled, if that is possible at once, and says goodbye. */
void consumer_close(struct consumer *consumer, int64_t deadline_us);

/*
 * The next thing that the broker says.  WEIR_OK: *ret_delivery is a message,
 * begun in `acks`, or NULL when it was something else.  WEIR_AGAIN: nothing
 * more for now, wait for the socket.  WEIR_RETRY: this channel is over.
 */
WEIR_MUST_USE
enum weir_status consumer_read(struct consumer *consumer,
                               struct delivery **ret_delivery,
                               struct weir_error *err);

/* Writes acknowledgements; WEIR_AGAIN: the socket is full. */
WEIR_MUST_USE
enum weir_status consumer_flush(struct consumer *consumer,
                                enum acks_haste haste, int64_t now_us,
                                struct weir_error *err);

/* Asks for the number of messages in the queue; everything written before is
 * known to the broker when the answer is there.  WEIR_AGAIN: socket full. */
WEIR_MUST_USE
enum weir_status consumer_ask(struct consumer *consumer,
                              struct weir_error *err);

/* Asks for no more messages; is_cancelled follows.  WEIR_AGAIN: socket full. */
WEIR_MUST_USE
enum weir_status consumer_cancel(struct consumer *consumer,
                                 struct weir_error *err);

/* Keeps a message that can't be offered now; takes it. */
void consumer_stash(struct consumer *consumer, struct delivery *delivery);
/* The oldest one back, NULL: none. */
struct delivery *consumer_unstash(struct consumer *consumer);
/* In front of all others: it was unstashed, or the stash is empty. */
void consumer_stash_again(struct consumer *consumer, struct delivery *delivery);

#endif
