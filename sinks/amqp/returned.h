/*
 * returned.h - a message that the broker gives back, and which one it is.
 */
#ifndef WEIR_SINKS_AMQP_RETURNED_H
#define WEIR_SINKS_AMQP_RETURNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "publication.h"
#include "window.h"

enum returned_step { RETURNED_IDLE = 0, RETURNED_HEADER, RETURNED_BODY };

/* Zeroed is idle. */
struct returned {
    struct publication candidate; /* of message `tag` */
    uint64_t tag;                 /* 0: none looks like it */
    bool is_alike; /* only by name and body: the properties differ */
    enum returned_step step;
    size_t size, seen; /* of the body */
    int code;
    char text[AMQP_NAME_MAX + 1];
    size_t exchange_size, routing_key_size;
    char exchange[AMQP_NAME_MAX], routing_key[AMQP_NAME_MAX];
    unsigned char *properties; /* as they are encoded */
    size_t properties_size;
};

void returned_finish(struct returned *returned);

/* basic.return; then its header; then its body until the step is IDLE.
 * WEIR_RETRY: that is no message of ours, or no memory. */
WEIR_MUST_USE
enum weir_status returned_begin(struct returned *returned,
                                const amqp_basic_return_t *method,
                                struct weir_error *err);
WEIR_MUST_USE
enum weir_status returned_header(struct returned *returned,
                                 const struct publication_plan *plan,
                                 struct window *window,
                                 const amqp_frame_t *frame,
                                 struct weir_error *err);
WEIR_MUST_USE
enum weir_status returned_body(struct returned *returned,
                               const struct publication_plan *plan,
                               struct window *window, amqp_bytes_t part,
                               struct weir_error *err);

#endif
