/*
 * message_fields.c - what a log line about a message has beside its sentence.
 *
 * Threads: whoever has the message.
 */
#include "message_fields.h"

#include <stdio.h>

static void add_text(struct message_fields *fields, const char *name,
                     const char *text)
{
    fields->list[fields->count++] =
        (struct log_field){.name = name, .text = text};
}

static void add_number(struct message_fields *fields, const char *name,
                       int64_t number)
{
    fields->list[fields->count++] =
        (struct log_field){.name = name, .number = number};
}

/* A queue's messages have a routing key, if only an empty one. */
void message_fields(const struct weir_message *msg,
                    struct message_fields *ret_fields)
{
    const struct weir_bytes key = weir_message_property(msg, "routing_key");
    const int32_t partition = weir_message_partition(msg);

    ret_fields->count = 0;
    if (partition >= 0) {
        add_text(ret_fields, "topic", weir_message_topic(msg));
        add_number(ret_fields, "partition", partition);
        add_number(ret_fields, "offset", weir_message_offset(msg));
    } else if (key.data) {
        add_text(ret_fields, "queue", weir_message_topic(msg));
        (void)snprintf(ret_fields->routing_key, sizeof ret_fields->routing_key,
                       "%.*s", (int)key.size, (const char *)key.data);
        add_text(ret_fields, "routing_key", ret_fields->routing_key);
        add_number(ret_fields, "delivery_tag", (int64_t)msg->ticket);
    } else {
        add_text(ret_fields, "source", weir_message_topic(msg));
        add_number(ret_fields, "number", (int64_t)msg->ticket);
    }
    if (weir_message_trace(msg, &ret_fields->trace))
        add_text(ret_fields, "trace_id", ret_fields->trace.trace_id);
}
