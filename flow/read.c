/*
 * read.c - <weir/message.h>: a message as a handler or a sink reads it.
 *
 * Threads: whoever has the message.
 */
#include <string.h>

#include <weir/message.h>

#include "message.h"

static const struct weir_bytes absent = {NULL, 0};

struct weir_bytes weir_message_payload(const struct weir_message *msg)
{
    if (msg->changes && msg->changes->has_payload)
        return msg->changes->payload;
    return record_payload(msg->record);
}

struct weir_bytes weir_message_key(const struct weir_message *msg)
{
    return record_key(msg->record);
}

size_t weir_message_header_count(const struct weir_message *msg)
{
    return msg->record->header_count +
           (msg->changes ? msg->changes->header_count : 0);
}

struct weir_header weir_message_header(const struct weir_message *msg,
                                       size_t index)
{
    const struct extra_header *extra;

    if (index < msg->record->header_count)
        return record_header(msg->record, index);
    index -= msg->record->header_count;
    extra = msg->changes ? msg->changes->headers : NULL;
    while (extra && index-- > 0)
        extra = extra->next;
    return extra ? extra->header : (struct weir_header){absent, absent};
}

static bool is_named(struct weir_bytes bytes, const char *name, size_t size)
{
    return bytes.size == size &&
           (size == 0 || memcmp(bytes.data, name, size) == 0);
}

struct weir_bytes weir_message_find_header(const struct weir_message *msg,
                                           const char *name)
{
    const size_t size = strlen(name);

    for (size_t i = weir_message_header_count(msg); i > 0; i--) {
        const struct weir_header header = weir_message_header(msg, i - 1);

        if (is_named(header.name, name, size))
            return header.value;
    }
    return absent;
}

const char *weir_message_topic(const struct weir_message *msg)
{
    return msg->epoch->origin->topic;
}

int32_t weir_message_partition(const struct weir_message *msg)
{
    return msg->epoch->origin->partition;
}

int64_t weir_message_offset(const struct weir_message *msg)
{
    return msg->record->offset;
}

int64_t weir_message_timestamp_ms(const struct weir_message *msg)
{
    return msg->record->timestamp_ms;
}

struct weir_bytes weir_message_property(const struct weir_message *msg,
                                        const char *name)
{
    const size_t size = strlen(name);

    for (size_t i = 0; i < msg->record->property_count; i++) {
        const struct weir_header property = record_property(msg->record, i);

        if (is_named(property.name, name, size))
            return property.value;
    }
    return absent;
}

uint32_t weir_message_deliveries(const struct weir_message *msg)
{
    return msg->record->deliveries;
}

uint32_t weir_message_attempt(const struct weir_message *msg)
{
    if (msg->is_delivering)
        return msg->deliveries;
    return msg->record->deliveries + msg->attempt;
}

struct weir_bytes weir_message_batch_key(const struct weir_message *msg)
{
    return msg->changes ? msg->changes->batch_key : absent;
}

const char *weir_message_reason(const struct weir_message *msg)
{
    return msg->reason ? msg->reason : "";
}

bool weir_message_is_draining(const struct weir_message *msg)
{
    return msg->context && run_is_draining(msg->context->run);
}
