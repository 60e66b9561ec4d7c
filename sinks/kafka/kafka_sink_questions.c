/*
 * kafka_sink_questions.c - what will go wrong when this topic is written?
 *
 * Whether the user may write is not found out by trying: what was tried would
 * be there.
 *
 * Threads: the one that asks.
 */
#include "kafka_sink_questions.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <weir/share.h>

#include "kafka_inquiry.h"

enum { WHERE_SIZE = 300 };

static void compare_size(struct kafka_inquiry *inquiry, const char *where,
                         int64_t message_bytes)
{
    const struct weir_share *share = weir_settings_share(inquiry->settings);
    const int64_t ours = (int64_t)share->max_message_bytes;

    if (message_bytes == 0 || message_bytes >= ours)
        return;
    weir_findings_add(inquiry->findings, WEIR_SEVERITY_WARNING, where,
                      "raise max.message.bytes of the topic, or lower "
                      "`max_message_bytes`",
                      "it takes messages of up to %" PRId64
                      " bytes, and `max_message_bytes` lets %" PRId64
                      " in: larger ones are rejected",
                      message_bytes, ours);
}

/* acks=all: where too few are in sync, nothing is confirmed. */
static void compare_replicas(struct kafka_inquiry *inquiry, const char *where,
                             const struct rd_kafka_metadata_topic *topic,
                             int64_t in_sync)
{
    int few = 0;

    for (int i = 0; i < topic->partition_cnt; i++)
        few += topic->partitions[i].isr_cnt < in_sync;
    if (few > 0)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                          "look after its replicas, or lower "
                          "min.insync.replicas",
                          "%d of its %d partitions have fewer replicas in sync "
                          "than the %" PRId64 " that must confirm a message",
                          few, topic->partition_cnt, in_sync);
}

static void ask_topic(struct kafka_inquiry *inquiry,
                      const struct rd_kafka_metadata_topic *topic)
{
    struct kafka_inquiry_limits limits;
    char where[WHERE_SIZE];

    if (!kafka_inquiry_topic(inquiry, topic))
        return;
    (void)snprintf(where, sizeof where, "topic %s", topic->topic);
    limits = kafka_inquiry_limits(inquiry, topic->topic);
    compare_size(inquiry, where, limits.message_bytes);
    compare_replicas(inquiry, where, topic, limits.in_sync);
    weir_findings_add(inquiry->findings, WEIR_SEVERITY_UNKNOWN, where, NULL,
                      "whether it may be written is known with the first "
                      "message");
}

void kafka_sink_questions_ask(const struct weir_settings *settings,
                              int64_t deadline_us,
                              struct weir_findings *findings)
{
    struct kafka_inquiry inquiry = {
        .settings = settings, .findings = findings, .deadline_us = deadline_us};
    const char *const topic = weir_settings_string(settings, "topic");
    const bool is_template = strstr(topic, "%{") != NULL;
    const char *const names[] = {is_template ? NULL : topic, NULL};

    if (kafka_inquiry_open(&inquiry, KAFKA_WRITES, names) == WEIR_OK &&
        !is_template)
        for (int i = 0; i < inquiry.metadata->topic_cnt; i++)
            ask_topic(&inquiry, &inquiry.metadata->topics[i]);
    if (is_template)
        weir_findings_add(findings, WEIR_SEVERITY_UNKNOWN, "topic", NULL,
                          "each message names its own: whether it is there is "
                          "known with the message");
    kafka_inquiry_close(&inquiry);
}
