/*
 * link.h - one connection to a broker with one open channel.
 */
#ifndef WEIR_CLIENTS_AMQP_LINK_H
#define WEIR_CLIENTS_AMQP_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/status.h>

#include "guard.h"
#include "rabbitmq.h"
#include "tls.h"
#include "url.h"

/* The only channel: frames of others would be lost in the library. */
enum { AMQP_LINK_CHANNEL = 1 };

struct amqp_link_options {
    const char *name; /* shown by the broker's tools */
    int heartbeat_s;
    int64_t deadline_us; /* of the attempt; 0: its steps' own times */
    struct amqp_tls tls;
};

/* Zeroed is closed. */
struct amqp_link {
    amqp_connection_state_t connection; /* NULL: closed */
    struct amqp_verdict verdict;
    int socket;
    bool is_broken;  /* nothing can be said to the broker any more */
    char where[160]; /* "host:port as user", for errors */
};

/*
 * Connects, logs in and opens the channel, each within its time, and all of it
 * within a second when `guard` was woken before.  Waking it meanwhile ends the
 * attempt.  WEIR_RETRY says what to check, and the link is closed.  On WEIR_OK
 * `guard` goes on watching, for the caller's synchronous calls, until
 * amqp_guard_unwatch().
 */
WEIR_MUST_USE
enum weir_status amqp_link_open(struct amqp_link *link,
                                const struct amqp_url *url,
                                const struct amqp_link_options *options,
                                struct amqp_guard *guard,
                                struct weir_error *err);

/* Says goodbye, unless broken, and frees; no later than the deadline. */
void amqp_link_close(struct amqp_link *link, int64_t deadline_us);

/* True: a few hundred bytes can be written without blocking. */
bool amqp_link_can_write(const struct amqp_link *link);

/* How long synchronous calls wait: the library's default is for ever. */
void amqp_link_set_timeout(struct amqp_link *link, int64_t timeout_us);

/* WEIR_OK, or what the last synchronous call's reply says; then the link is to
 * be closed. */
WEIR_MUST_USE
enum weir_status amqp_link_reply(struct amqp_link *link, const char *doing,
                                 struct weir_error *err);

/* The link is broken: returns WEIR_RETRY and why. */
enum weir_status amqp_link_fail(struct amqp_link *link, int library_status,
                                const char *doing, struct weir_error *err);

#endif
