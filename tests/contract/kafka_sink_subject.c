/*
 * kafka_sink_subject.c - the Kafka sink, with librdkafka's mock cluster.
 */
#include "sink_subjects.h"

#include <stdio.h>
#include <stdlib.h>

#include "embedded_kafka.h"
#include "kafka_sink.h"
#include "test.h"
#include "test_settings.h"

enum { PARTITIONS = 2 };

#define MEMORY ((size_t)16 << 20)

static void *prepare_embedded(struct weir_settings *settings)
{
    const struct embedded_kafka_topic topic = {"contract", PARTITIONS};
    struct embedded_kafka *kafka = NULL;
    struct weir_error err = {0};

    if (embedded_kafka_start(&topic, &kafka, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    test_settings_set(settings, "brokers", embedded_kafka_brokers(kafka));
    test_settings_set(settings, "topic", topic.name);
    test_settings_share(settings)->memory = MEMORY;
    return kafka;
}

static void finish_embedded(void *prepared)
{
    embedded_kafka_stop(prepared);
}

/* No broker is there. */
static void spoil(struct weir_settings *settings, void *prepared)
{
    (void)prepared;
    test_settings_set(settings, "brokers", "127.0.0.1:1");
}

const struct sink_subject sink_subjects[] = {
    {.name = "kafka, embedded",
     .ops = &weir_kafka_sink,
     .prepare = prepare_embedded,
     .finish = finish_embedded,
     .spoil = spoil},
    {0},
};
