/*
 * kafka_writer.h - one client that writes, as its files share it.
 */
#ifndef WEIR_KAFKA_WRITER_H
#define WEIR_KAFKA_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include <weir/share.h>

#include "kafka_parcel.h"
#include "kafka_target.h"
#include "kafka_trouble.h"
#include "waker.h"

enum { KAFKA_TORN_MAX = 8 };

/*
 * Topics of which a message came back undelivered: in an ordered mode whatever
 * of them is delivered behind it counts as undelivered, too, so that it is
 * repeated in order.  Over when nothing is away.
 */
struct kafka_tear {
    const rd_kafka_topic_t *topics[KAFKA_TORN_MAX]; /* only compared */
    unsigned topic_count;                           /* more: all topics */
    uint32_t returned;                              /* messages */
    bool is_torn;
    bool is_suspect;   /* one message spoiled its batch, it isn't known which */
    bool is_oversized; /* the broker takes no batches of this size */
    bool is_over;      /* only another client can go on */
    int64_t patience_us; /* `is_over`: what is away is waited for until then */
};

struct kafka_writer {
    const struct weir_settings *settings;
    const struct weir_share *share;
    struct kafka_trouble trouble;
    struct waker waker;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    int fd; /* + 1; readable when the client's queue is no longer empty */

    struct kafka_target target;
    struct kafka_parcels parcels;
    struct kafka_tear tear;
    uint32_t away;    /* messages that the client has */
    size_t away_cost; /* bytes that it holds for them */
    uint32_t window;  /* at most so many may be away; normally no limit */
    bool rejects_unknown_topics;
    size_t batch_size; /* bytes; kept when opened again: see `is_oversized` */
    int64_t check_us;  /* when a client that is cut off asks again */
    struct weir_error err; /* of a client that is over */
};

#endif
