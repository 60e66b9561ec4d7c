/*
 * kafka_target.h - which topic and key a message gets.
 */
#ifndef WEIR_KAFKA_TARGET_H
#define WEIR_KAFKA_TARGET_H

#include <librdkafka/rdkafka.h>

#include <weir/message.h>
#include <weir/settings.h>

#include "buffer.h"
#include "template.h"

/* What is wrong with a topic's name, as the end of a sentence; NULL: nothing.
 */
const char *kafka_target_refusal(struct weir_bytes name);

enum { KAFKA_TARGET_HANDLES = 64 };

/* Zeroed is ready to be opened or finished. */
struct kafka_target {
    rd_kafka_t *rk;               /* borrowed */
    struct template *topic, *key; /* key NULL: the message's own */
    struct buffer key_text;
    rd_kafka_topic_t *fixed; /* NULL: the topic is a template */
    rd_kafka_topic_t *handles[KAFKA_TARGET_HANDLES]; /* by hash of the name */
};

WEIR_MUST_USE
enum weir_status kafka_target_open(struct kafka_target *target, rd_kafka_t *rk,
                                   const struct weir_settings *settings,
                                   struct weir_error *err);
void kafka_target_close(struct kafka_target *target);

/* WEIR_REJECT: there is none for this message, and why.  The handle is borrowed
 * until the next call. */
WEIR_MUST_USE
enum weir_status kafka_target_topic(struct kafka_target *target,
                                    const struct weir_message *msg,
                                    rd_kafka_topic_t **ret_topic,
                                    struct weir_error *err);

/* Borrowed until the next call.  WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status kafka_target_key(struct kafka_target *target,
                                  const struct weir_message *msg,
                                  struct weir_bytes *ret_key);

#endif
