/*
 * text_property.h - the properties of an AMQP message that are text.
 */
#ifndef WEIR_CLIENTS_AMQP_TEXT_PROPERTY_H
#define WEIR_CLIENTS_AMQP_TEXT_PROPERTY_H

#include <stddef.h>

#include "rabbitmq.h"

enum { AMQP_TEXT_PROPERTIES = 9 };

struct amqp_text_property {
    const char *name; /* as weir_message_property() knows it */
    amqp_flags_t flag;
    size_t offset; /* of an amqp_bytes_t in amqp_basic_properties_t */
};

/* In the order of amqp_basic_properties_t. */
extern const struct amqp_text_property
    amqp_text_properties[AMQP_TEXT_PROPERTIES];

#endif
