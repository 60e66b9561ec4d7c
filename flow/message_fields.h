/*
 * message_fields.h - what a log line about a message has beside its sentence.
 */
#ifndef WEIR_FLOW_MESSAGE_FIELDS_H
#define WEIR_FLOW_MESSAGE_FIELDS_H

#include "log.h"
#include "message.h"

enum { MESSAGE_FIELD_COUNT = 4, ROUTING_KEY_SIZE = 256 };

struct message_fields {
    struct log_field list[MESSAGE_FIELD_COUNT];
    struct weir_trace trace;
    char routing_key[ROUTING_KEY_SIZE]; /* 255 bytes at most, by protocol */
    size_t count;
};

/* Kafka: topic, partition, offset.  AMQP: queue, routing_key, delivery_tag.
 * Others: source, number.  All: trace_id.  Borrowed of the message and of
 * `ret_fields`. */
void message_fields(const struct weir_message *msg,
                    struct message_fields *ret_fields);

#endif
