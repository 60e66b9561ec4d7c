/*
 * kafka_limits.h - how much the client may fetch ahead.
 */
#ifndef WEIR_KAFKA_LIMITS_H
#define WEIR_KAFKA_LIMITS_H

#include <stddef.h>
#include <stdint.h>

enum {
    KAFKA_MESSAGE_OVERHEAD = 340 /* of a queued one, beyond its payload */
};

struct kafka_limits {
    int64_t queue_messages;  /* queued.min.messages, per partition */
    int64_t queue_kbytes;    /* queued.max.messages.kbytes, per partition */
    int64_t partition_bytes; /* fetch.message.max.bytes */
    int64_t fetch_bytes;     /* fetch.max.bytes, message.max.bytes */
};

/* `memory` bytes for `partitions` (at least 1) from `brokers` (at least 1),
 * whose batches grow `growth` times when they are opened, as far as is known.
 */
struct kafka_limits kafka_limits_for(size_t memory, unsigned partitions,
                                     unsigned brokers, uint64_t growth);

/* Of how many partitions at a time `memory` bytes have room for what comes
 * whole, with messages of up to `max_message_bytes` in batches that take
 * `batch` bytes, as far as is known.  At least 1. */
unsigned kafka_limits_partitions(size_t memory, size_t max_message_bytes,
                                 uint64_t batch);

#endif
