/*
 * kafka_subject.c - the Kafka producer, with librdkafka's mock cluster.
 */
#include "producer_subjects.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "embedded_kafka.h"
#include "kafka_producer.h"
#include "test.h"
#include "test_settings.h"

enum { PAYLOAD_SIZE = 32, PARTITIONS = 2 };

static void confirmed(void *opaque, uint64_t id)
{
    (void)opaque;
    (void)id;
}

static void fill(struct embedded_kafka *kafka, size_t count)
{
    const int64_t limit_us = clock_after_us(10 * CLOCK_SECOND_US);

    for (size_t i = 0; i < count; i++) {
        char payload[PAYLOAD_SIZE];

        (void)snprintf(payload, sizeof payload, "message %zu", i);
        assert_int_equal(
            embedded_kafka_send(kafka, i, weir_str(payload), weir_str(payload)),
            WEIR_OK);
    }
    while (embedded_kafka_waiting(kafka) > 0 && clock_now_us() < limit_us)
        embedded_kafka_poll(kafka, 10, confirmed, NULL);
    assert_int_equal(embedded_kafka_waiting(kafka), 0);
}

static void *prepare_kafka(struct weir_settings *settings, size_t count)
{
    const struct embedded_kafka_topic topic = {"contract", PARTITIONS};
    struct embedded_kafka *kafka = NULL;
    struct weir_error err = {0};

    if (embedded_kafka_start(&topic, &kafka, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    fill(kafka, count);
    test_settings_set(settings, "brokers", embedded_kafka_brokers(kafka));
    test_settings_set(settings, "group", "contract");
    test_settings_set(settings, "topics", topic.name);
    test_settings_set(settings, "properties.session.timeout.ms", "10000");
    test_settings_set(settings, "properties.heartbeat.interval.ms", "500");
    test_settings_set(settings, "properties.fetch.wait.max.ms", "10");
    test_settings_share(settings)->until_end = true;
    return kafka;
}

static void finish_kafka(void *prepared)
{
    embedded_kafka_stop(prepared);
}

const struct producer_subject producer_subjects[] = {
    {.ops = &weir_kafka_producer,
     .prepare = prepare_kafka,
     .finish = finish_kafka},
    {0},
};
