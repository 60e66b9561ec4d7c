/*
 * fill_kafka.c - puts messages into a topic, evenly over its partitions.
 *
 * usage: bench_fill_kafka BROKERS TOPIC PARTITIONS COUNT SIZE RATE
 *                         [identical] [PROPERTY=VALUE...]
 *
 * Payloads are log lines with a number each that differs, which zstd makes 20
 * times smaller; `identical` leaves the numbers alone: 250 times.  With a RATE
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

enum { FIRST_PROPERTY = 7, SERVE_EVERY = 256, FLUSH_MS = 120000, DIGITS = 5 };

/* The zeros between < and > are filled in anew for each line: that makes lz4
 * 10 and zstd 20 times smaller. */
static const char line[] = "192.0.2.17 - - [10/Oct/2025:13:55:36 +0000] \"GET "
                           "/item/<00000> HTTP/1.1\" "
                           "200 2326 \"-\" \"curl\"\n";

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
    size_t *numbers; /* where in the payload they begin */
    size_t number_count;
    uint64_t seed;
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

/* Numbers that no two lines share, so that compression has its limits. */
static void vary(struct filler *filler)
{
    for (size_t i = 0; i < filler->number_count; i++) {
        char *digits = filler->payload + filler->numbers[i];

        filler->seed =
            filler->seed * 6364136223846793005U + 1442695040888963407U;
        for (unsigned digit = 0; digit < DIGITS; digit++)
            digits[digit] =
                (char)('0' + (filler->seed >> (32 + 4 * digit)) % 10);
    }
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
        } else
            vary(filler);
        produce(filler, (int32_t)(i % partitions));
        if (rate > 0 || i % SERVE_EVERY == 0)
            (void)rd_kafka_poll(filler->rk, 0);
    }
}

static int prepare(struct filler *filler, size_t size)
{
    filler->size = size;
    filler->payload = malloc(size + sizeof(int64_t));
    filler->numbers = malloc((size / DIGITS + 1) * sizeof *filler->numbers);
    if (!filler->payload || !filler->numbers)
        return 0;
    for (size_t i = 0; i < size; i++) {
        filler->payload[i] = line[i % (sizeof line - 1)];
        if (filler->payload[i] == '<' && i + DIGITS < size)
            filler->numbers[filler->number_count++] = i + 1;
    }
    return 1;
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
    if (!prepare(&filler, strtoul(argv[5], NULL, 10))) {
        free(filler.numbers);
        free(filler.payload);
        return 70;
    }
    connect_to(&filler, argv);
    if (argc > FIRST_PROPERTY && strcmp(argv[FIRST_PROPERTY], "identical") == 0)
        filler.number_count = 0;
    fill(&filler, (int32_t)strtol(argv[3], NULL, 10), strtol(argv[4], NULL, 10),
         strtol(argv[6], NULL, 10));
    if (rd_kafka_flush(filler.rk, FLUSH_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        filler.failed++;
    rd_kafka_topic_destroy(filler.topic);
    rd_kafka_destroy(filler.rk);
    free(filler.payload);
    free(filler.numbers);
    return filler.failed > 0 ? 1 : 0;
}
