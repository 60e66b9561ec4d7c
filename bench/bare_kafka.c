/*
 * bare_kafka.c - the loop that people write: poll, handle, store the offset,
 * and let the client commit every 5 seconds.
 *
 * usage: bench_bare_kafka BROKERS TOPIC GROUP COUNT OUT [--latency]
 *                         [PROPERTY=VALUE...]
 *
 * It ends after COUNT messages.  What the client made of the properties is
 * printed, so that it can be compared with weir's.
 *
 * Threads: one, beside the client's own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#include "meter.h"

enum { POLL_MS = 100, FIRST_OPTION = 6 };

static const char *const shown[] = {
    "queued.min.messages",     "queued.max.messages.kbytes",
    "fetch.message.max.bytes", "fetch.max.bytes",
    "message.max.bytes",       "fetch.wait.max.ms"};

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) !=
        RD_KAFKA_CONF_OK) {
        (void)fprintf(stderr, "bare_kafka: %s\n", why);
        exit(64);
    }
}

static void set_all(rd_kafka_conf_t *conf, char **words)
{
    for (; *words; words++) {
        char *equals = strchr(*words, '=');

        if (!equals)
            continue;
        *equals = '\0';
        set(conf, *words, equals + 1);
    }
}

static void show(const rd_kafka_conf_t *conf)
{
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        char value[64];
        size_t size = sizeof value;

        if (rd_kafka_conf_get(conf, shown[i], value, &size) == RD_KAFKA_CONF_OK)
            printf("%s=%s\n", shown[i], value);
    }
}

static rd_kafka_t *subscribe(char **argv)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new(1);
    rd_kafka_t *rk;
    char why[256];

    set(conf, "bootstrap.servers", argv[1]);
    set(conf, "group.id", argv[3]);
    set(conf, "auto.offset.reset", "earliest");
    set(conf, "enable.auto.offset.store", "false");
    set(conf, "auto.commit.interval.ms", "5000");
    set_all(conf, argv + FIRST_OPTION);
    show(conf);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!rk) {
        (void)fprintf(stderr, "bare_kafka: %s\n", why);
        exit(69);
    }
    (void)rd_kafka_poll_set_consumer(rk);
    rd_kafka_topic_partition_list_add(topics, argv[2], RD_KAFKA_PARTITION_UA);
    (void)rd_kafka_subscribe(rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return rk;
}

static void consume(rd_kafka_t *rk, struct meter *meter, uint64_t count)
{
    while (meter->count < count) {
        rd_kafka_message_t *msg = rd_kafka_consumer_poll(rk, POLL_MS);

        if (!msg)
            continue;
        if (msg->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            meter_handle(meter, msg->payload, msg->len);
            (void)rd_kafka_offset_store(msg->rkt, msg->partition, msg->offset);
        }
        rd_kafka_message_destroy(msg);
    }
}

int main(int argc, char **argv)
{
    struct meter meter = {0};
    rd_kafka_t *rk;

    if (argc < FIRST_OPTION) {
        (void)fprintf(stderr, "usage: bench_bare_kafka BROKERS TOPIC GROUP "
                              "COUNT OUT [--latency] [PROPERTY=VALUE...]\n");
        return 64;
    }
    meter.has_latency =
        argc > FIRST_OPTION && strcmp(argv[FIRST_OPTION], "--latency") == 0;
    rk = subscribe(argv);
    consume(rk, &meter, strtoull(argv[4], NULL, 10));
    meter_finish(&meter, argv[5]);
    (void)rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return 0;
}
