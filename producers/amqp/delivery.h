/*
 * delivery.h - one message that was read, with memory of its own.
 */
#ifndef WEIR_PRODUCERS_AMQP_DELIVERY_H
#define WEIR_PRODUCERS_AMQP_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/producer.h>

#include "rabbitmq.h"

enum { DELIVERY_PROPERTIES = 16 };

/* weir_producer_ops.fields */
#define DELIVERY_FIELDS                                                        \
    "topic|timestamp|header.|exchange|routing_key|redelivered|content_type|"   \
    "content_encoding|correlation_id|reply_to|expiration|message_id|type|"     \
    "user_id|app_id|priority|delivery_mode"

struct delivery {
    struct delivery *next; /* in the list that it is in */
    struct weir_record record;
    int64_t broker_count; /* x-delivery-count; -1: absent */
    bool is_redelivered;
    struct weir_header properties[DELIVERY_PROPERTIES];
    struct weir_header *headers;
    size_t header_capacity;
    char *text; /* the bytes of headers and properties */
    size_t text_size, text_capacity;
    char *body;
    size_t body_size, body_capacity;
};

struct delivery *delivery_create(void);           /* NULL: out of memory */
void delivery_destroy(struct delivery *delivery); /* NULL is fine */

/* Lets go of unusually large buffers before it is used again. */
void delivery_recycle(struct delivery *delivery);

/*
 * Fills in everything but the payload, from what the library decoded; nothing
 * of that is referred to afterwards.  `queue` tells which of the deaths in
 * x-death were here.  WEIR_RETRY: out of memory.
 */
WEIR_MUST_USE
enum weir_status delivery_begin(struct delivery *delivery, const char *queue,
                                const amqp_basic_deliver_t *deliver,
                                const amqp_basic_properties_t *properties,
                                struct weir_error *err);

/* Appends to the payload.  WEIR_RETRY: out of memory. */
WEIR_MUST_USE
enum weir_status delivery_append(struct delivery *delivery, amqp_bytes_t part,
                                 size_t body_size, struct weir_error *err);

#endif
