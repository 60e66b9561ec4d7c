/*
 * fill_kafka.c - puts messages into a topic, evenly over its partitions.
 *
 * usage: bench_fill_kafka BROKERS TOPIC PARTITIONS COUNT SIZE RATE
 *                         [PROPERTY=VALUE...]
 *
 * Payloads are repetitive log lines, so that compression shows.  With a RATE
 * (messages a second, 0: as fast as it goes) each begins with the monotonic
 * time at which it was made, in nanoseconds.
 *
 * Threads: one, beside the client's own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <librdkafka/rdkafka.h>

#include "meter.h"

enum { FIRST_PROPERTY = 7, SERVE_EVERY = 256, FLUSH_MS = 120000 };

static const char line[] =
    "192.0.2.17 - - [10/Oct/2025:13:55:36 +0000] \"GET /index.html HTTP/1.1\" "
    "200 2326 \"-\" \"Mozilla/5.0\"\n";

static const char *const defaults[][2] = {
    {"linger.ms", "20"},
    {"batch.size", "1000000"},
    {"message.max.bytes", "4000000"},
    {"batch.num.messages", "10000"},
    {"queue.buffering.max.kbytes", "262144"},
    {"acks", "1"}};

struct filler {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    char *payload;
    size_t size;
    long failed;
};

static void count_failure(rd_kafka_t *rk, const rd_kafka_message_t *msg,
                          void *opaque)
{
    struct filler *filler = opaque;

    (void)rk;
    if (msg->err != RD_KAFKA_RESP_ERR_NO_ERROR && filler->failed++ == 0)
        (void)fprintf(stderr, "fill_kafka: %s\n", rd_kafka_err2str(msg->err));
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) !=
        RD_KAFKA_CONF_OK) {
        (void)fprintf(stderr, "fill_kafka: %s\n", why);
        exit(64);
    }
}

static void connect_to(struct filler *filler, char **argv)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    set(conf, "bootstrap.servers", argv[1]);
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        set(conf, defaults[i][0], defaults[i][1]);
    for (char **word = argv + FIRST_PROPERTY; *word; word++) {
        char *equals = strchr(*word, '=');

        if (equals) {
            *equals = '\0';
            set(conf, *word, equals + 1);
        }
    }
    rd_kafka_conf_set_dr_msg_cb(conf, count_failure);
    rd_kafka_conf_set_opaque(conf, filler);
    filler->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!filler->rk) {
        (void)fprintf(stderr, "fill_kafka: %s\n", why);
        exit(69);
    }
    filler->topic = rd_kafka_topic_new(filler->rk, argv[2], NULL);
}

/* Waits while the client's queue is full. */
static void produce(struct filler *filler, int32_t partition)
{
    while (rd_kafka_produce(filler->topic, partition, RD_KAFKA_MSG_F_COPY,
                            filler->payload, filler->size, NULL, 0,
                            NULL) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            filler->failed++;
            return;
        }
        (void)rd_kafka_poll(filler->rk, 10);
    }
}

static void sleep_until(int64_t ns)
{
    const struct timespec until = {ns / 1000000000, ns % 1000000000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
           EINTR)
        ;
}

static void fill(struct filler *filler, int32_t partitions, long count,
                 long rate)
{
    const int64_t begin_ns = meter_now_ns();

    for (long i = 0; i < count; i++) {
        if (rate > 0) {
            sleep_until(begin_ns + i * (1000000000 / rate));
            const int64_t now_ns = meter_now_ns();
            memcpy(filler->payload, &now_ns, sizeof now_ns);
        }
        produce(filler, (int32_t)(i % partitions));
        if (rate > 0 || i % SERVE_EVERY == 0)
            (void)rd_kafka_poll(filler->rk, 0);
    }
}

int main(int argc, char **argv)
{
    struct filler filler = {0};

    if (argc < FIRST_PROPERTY) {
        (void)fprintf(stderr, "usage: bench_fill_kafka BROKERS TOPIC "
                              "PARTITIONS COUNT SIZE RATE [PROPERTY=VALUE..]"
                              "\n");
        return 64;
    }
    filler.size = strtoul(argv[5], NULL, 10);
    filler.payload = malloc(filler.size + sizeof(int64_t));
    if (!filler.payload)
        return 70;
    for (size_t i = 0; i < filler.size; i++)
        filler.payload[i] = line[i % (sizeof line - 1)];
    connect_to(&filler, argv);
    fill(&filler, (int32_t)strtol(argv[3], NULL, 10), strtol(argv[4], NULL, 10),
         strtol(argv[6], NULL, 10));
    if (rd_kafka_flush(filler.rk, FLUSH_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        filler.failed++;
    rd_kafka_topic_destroy(filler.topic);
    rd_kafka_destroy(filler.rk);
    free(filler.payload);
    return filler.failed > 0 ? 1 : 0;
}
