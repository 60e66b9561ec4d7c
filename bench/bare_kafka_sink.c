/*
 * bare_kafka_sink.c - the producer loop that people write: produce, serve
 * delivery reports now and then, and wait while the queue is full.
 *
 * usage: bench_bare_kafka_sink BROKERS TOPIC COUNT SIZE [PROPERTY=VALUE...]
 *
 * It fails when one message wasn't delivered.
 *
 * Threads: one, beside the client's own.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

enum { FIRST_PROPERTY = 5, SERVE_EVERY = 256, WAIT_MS = 10, FLUSH_MS = 120000 };

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) !=
        RD_KAFKA_CONF_OK) {
        (void)fprintf(stderr, "bare_kafka_sink: %s\n", why);
        exit(64);
    }
}

static void count_delivered(rd_kafka_t *rk, const rd_kafka_message_t *msg,
                            void *opaque)
{
    long *delivered = opaque;

    (void)rk;
    if (msg->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        ++*delivered;
}

static rd_kafka_t *connect_to(char **argv, long *delivered)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk;
    char why[256];

    set(conf, "bootstrap.servers", argv[1]);
    for (char **word = argv + FIRST_PROPERTY; *word; word++) {
        char *equals = strchr(*word, '=');

        if (equals) {
            *equals = '\0';
            set(conf, *word, equals + 1);
        }
    }
    rd_kafka_conf_set_dr_msg_cb(conf, count_delivered);
    rd_kafka_conf_set_opaque(conf, delivered);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!rk) {
        (void)fprintf(stderr, "bare_kafka_sink: %s\n", why);
        exit(69);
    }
    return rk;
}

static void produce(rd_kafka_t *rk, rd_kafka_topic_t *topic, char *payload,
                    size_t size)
{
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            payload, size, NULL, 0, NULL) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return;
        (void)rd_kafka_poll(rk, WAIT_MS);
    }
}

/* Each payload is written anew, as weir's generator does it. */
static void produce_all(rd_kafka_t *rk, rd_kafka_topic_t *topic, long count,
                        size_t size)
{
    char *payload = calloc(1, size + 32);

    if (!payload)
        exit(70);
    for (long i = 0; i < count; i++) {
        memset(payload, (int)('a' + i % 26), size);
        (void)snprintf(payload, 32, "%016ld", i);
        produce(rk, topic, payload, size);
        if (i % SERVE_EVERY == 0)
            (void)rd_kafka_poll(rk, 0);
    }
    free(payload);
}

int main(int argc, char **argv)
{
    rd_kafka_topic_t *topic;
    rd_kafka_t *rk;
    long count, delivered = 0;

    if (argc < FIRST_PROPERTY) {
        (void)fprintf(stderr, "usage: bench_bare_kafka_sink BROKERS TOPIC "
                              "COUNT SIZE [PROPERTY=VALUE...]\n");
        return 64;
    }
    count = strtol(argv[3], NULL, 10);
    rk = connect_to(argv, &delivered);
    topic = rd_kafka_topic_new(rk, argv[2], NULL);
    produce_all(rk, topic, count, strtoul(argv[4], NULL, 10));
    (void)rd_kafka_flush(rk, FLUSH_MS);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return delivered == count ? 0 : 1;
}
