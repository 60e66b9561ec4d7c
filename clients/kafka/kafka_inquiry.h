/*
 * kafka_inquiry.h - what is asked of a cluster before anything runs.
 */
#ifndef WEIR_KAFKA_INQUIRY_H
#define WEIR_KAFKA_INQUIRY_H

#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include <weir/finding.h>
#include <weir/settings.h>

#include "kafka_trouble.h"

/* The first three are the caller's to fill in; the rest zeroed. */
struct kafka_inquiry {
    const struct weir_settings *settings;
    struct weir_findings *findings;
    int64_t deadline_us;

    struct kafka_trouble trouble;
    rd_kafka_t *rk;            /* a consumer of no group: it makes no topics */
    rd_kafka_topic_t **topics; /* that it knows; NULL ends */
    const struct rd_kafka_metadata *metadata;
};

/*
 * Connects, and asks for `topics` (NULL ends; NULL itself: all).  WEIR_RETRY:
 * nobody answers, which was found.  kafka_inquiry_close() in either case.
 */
WEIR_MUST_USE
enum weir_status kafka_inquiry_open(struct kafka_inquiry *inquiry,
                                    enum kafka_role role,
                                    const char *const *topics);
void kafka_inquiry_close(struct kafka_inquiry *inquiry);

/* Finds what is wrong with a topic as such.  False: nothing more can be asked
 * about it. */
bool kafka_inquiry_topic(struct kafka_inquiry *inquiry,
                         const struct rd_kafka_metadata_topic *topic);

struct kafka_inquiry_limits {
    int64_t message_bytes; /* max.message.bytes; 0: not known */
    int64_t in_sync;       /* min.insync.replicas; 0: not known */
};

/* What the topic allows.  Finds that it can't be asked. */
struct kafka_inquiry_limits kafka_inquiry_limits(struct kafka_inquiry *inquiry,
                                                 const char *topic);

#endif
