/*
 * weir/message.h - one message, as a handler or a sink reads it.
 *
 * A callback borrows a message for its own length.  Because no other thread
 * sees it meanwhile, nothing declared here takes a lock.  Everything returned
 * is valid until the callback returns (in a sink: until the outcome is set).
 */
#ifndef WEIR_MESSAGE_H
#define WEIR_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/bytes.h>
#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_message; /* opaque: flow/message.c */

/*
 * The payload that weir_message_set_payload() made, else the received one.
 * Received payloads start 8-byte aligned; every payload is followed by a NUL
 * and at least 64 bytes that may be read.  Absent (Kafka's null): data NULL.
 */
WEIR_EXPORT
struct weir_bytes weir_message_payload(const struct weir_message *msg);

/* As received; AMQP messages and lines have none: data NULL. */
WEIR_EXPORT
struct weir_bytes weir_message_key(const struct weir_message *msg);

/* Received headers first, in their order, then those a callback added. */
WEIR_EXPORT
size_t weir_message_header_count(const struct weir_message *msg);
WEIR_EXPORT
struct weir_header weir_message_header(const struct weir_message *msg,
                                       size_t index);

/* The last header of that name, or an absent value. */
WEIR_EXPORT
struct weir_bytes weir_message_find_header(const struct weir_message *msg,
                                           const char *name);

/* The topic or queue it was read from. */
WEIR_EXPORT
const char *weir_message_topic(const struct weir_message *msg);
WEIR_EXPORT
int32_t weir_message_partition(const struct weir_message *msg); /* -1: none */
WEIR_EXPORT
int64_t weir_message_offset(const struct weir_message *msg); /* -1: none */
WEIR_EXPORT
int64_t weir_message_timestamp_ms(const struct weir_message *msg);

/*
 * What else the broker says of it, by name: "exchange", "routing_key",
 * "content_type", "message_id", "correlation_id", "reply_to", "type",
 * "app_id", "user_id", "expiration", "content_encoding", "redelivered".
 */
WEIR_EXPORT
struct weir_bytes weir_message_property(const struct weir_message *msg,
                                        const char *name);

/* Earlier deliveries that the broker counted. */
WEIR_EXPORT
uint32_t weir_message_deliveries(const struct weir_message *msg);

/* The attempt under way, from 1: earlier deliveries and calls of the handler
 * for this message, then, counted anew, deliveries to the sink. */
WEIR_EXPORT
uint32_t weir_message_attempt(const struct weir_message *msg);

/* Set by weir_message_set_batch_key(), or absent. */
WEIR_EXPORT
struct weir_bytes weir_message_batch_key(const struct weir_message *msg);

/* Why it failed, in handle_failed(); "" before. */
WEIR_EXPORT
const char *weir_message_reason(const struct weir_message *msg);

/*
 * W3C Trace Context, of the headers `traceparent` and `tracestate`.  False:
 * there is none, or it is not valid.  What it says is carried over by the Kafka
 * and AMQP sinks, as all headers are.
 */
struct weir_trace {
    char trace_id[33], parent_id[17]; /* lower-case hexadecimal, and a NUL */
    bool is_sampled;
    struct weir_bytes state; /* absent: none, or not valid */
};
WEIR_EXPORT
bool weir_message_trace(const struct weir_message *msg,
                        struct weir_trace *ret_trace);

/* The run is ending: what takes long may give up with WEIR_RETRY. */
WEIR_EXPORT
bool weir_message_is_draining(const struct weir_message *msg);

#ifdef __cplusplus
}
#endif

#endif
