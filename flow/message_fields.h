/*
 * message_fields.h - what a log line about a message has beside its sentence.
 */
#ifndef WEIR_FLOW_MESSAGE_FIELDS_H
#define WEIR_FLOW_MESSAGE_FIELDS_H

#include "log.h"
#include "message.h"

enum { MESSAGE_FIELD_COUNT = 4 };

struct message_fields {
    struct log_field list[MESSAGE_FIELD_COUNT];
    size_t count;
};

/* Kafka: topic, partition, offset.  AMQP: queue, routing_key, delivery_tag.
 * Others: source, number.  Borrowed of the message. */
void message_fields(const struct weir_message *msg,
                    struct message_fields *ret_fields);

#endif
