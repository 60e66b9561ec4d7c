/*
 * publisher.h - the publishing channel: messages out, confirms in.
 */
#ifndef WEIR_SINKS_AMQP_PUBLISHER_H
#define WEIR_SINKS_AMQP_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/settings.h>

#include "link.h"
#include "publication.h"
#include "returned.h"
#include "trouble.h"
#include "window.h"
#include "writer.h"

/* From open to close; zeroed is closed. */
struct publisher {
    struct amqp_link link;
    struct amqp_writer writer;
    struct publication_plan plan;
    struct publication publication;
    struct window *window;
    struct returned returned;
    struct amqp_closing closing; /* code 0: the broker closed nothing */
    bool is_blocked;             /* by the broker: nothing new is published */
    unsigned frames;             /* since pages were given back */
};

/* Connects; blocks for half a minute at most.  When it fails, publisher_close()
 * is called. */
WEIR_MUST_USE
enum weir_status publisher_open(struct publisher *publisher,
                                const struct amqp_url *url,
                                const struct weir_settings *settings,
                                struct weir_error *err);
void publisher_close(struct publisher *publisher, int64_t deadline_us);

/* Takes all that the broker said; outcomes are set.  WEIR_RETRY: this channel
 * is over. */
WEIR_MUST_USE
enum weir_status publisher_read(struct publisher *publisher,
                                struct weir_error *err);

/* Begins a message.  WEIR_AGAIN: not now (full, blocked).  WEIR_REJECT: it got
 * that outcome. */
WEIR_MUST_USE
enum weir_status publisher_publish(struct publisher *publisher,
                                   struct weir_batch *batch, size_t index,
                                   struct weir_error *err);

/* Writes what was begun, as far as possible, and heartbeats. */
WEIR_MUST_USE
enum weir_status publisher_write(struct publisher *publisher,
                                 struct weir_error *err);

#endif
