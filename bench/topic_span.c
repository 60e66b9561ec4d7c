/*
 * topic_span.c - how long a topic took to fill, by the broker's clock.
 *
 * usage: bench_topic_span BROKERS TOPIC PARTITIONS
 *
 * Prints {"count": ..., "seconds": ...}: the messages, and the time from the
 * first to the last, of a topic whose timestamps are those of its log.
 *
 * Threads: one, beside the client's own.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <librdkafka/rdkafka.h>

enum { WAIT_MS = 30000 };

struct span {
    int64_t count, first_ms, last_ms;
};

static rd_kafka_t *connect_to(const char *brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk;
    char why[256];

    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why,
                          sizeof why) != RD_KAFKA_CONF_OK ||
        rd_kafka_conf_set(conf, "group.id", "span", why, sizeof why) !=
            RD_KAFKA_CONF_OK)
        exit(64);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!rk)
        exit(69);
    return rk;
}

/* When the log took the message at `offset`. */
static int64_t time_of(rd_kafka_t *rk, const char *topic, int32_t partition,
                       int64_t offset)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);
    rd_kafka_timestamp_type_t kind;
    rd_kafka_message_t *msg;
    int64_t time_ms;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    (void)rd_kafka_assign(rk, list);
    msg = rd_kafka_consumer_poll(rk, WAIT_MS);
    if (!msg || msg->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        exit(70);
    time_ms = rd_kafka_message_timestamp(msg, &kind);
    rd_kafka_message_destroy(msg);
    rd_kafka_topic_partition_list_destroy(list);
    return time_ms;
}

static void add_partition(struct span *span, rd_kafka_t *rk, const char *topic,
                          int32_t partition)
{
    int64_t low, high, first_ms, last_ms;

    if (rd_kafka_query_watermark_offsets(rk, topic, partition, &low, &high,
                                         WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        exit(70);
    if (low == high)
        return;
    first_ms = time_of(rk, topic, partition, low);
    last_ms = time_of(rk, topic, partition, high - 1);
    if (span->count == 0 || first_ms < span->first_ms)
        span->first_ms = first_ms;
    if (last_ms > span->last_ms)
        span->last_ms = last_ms;
    span->count += high - low;
}

int main(int argc, char **argv)
{
    struct span span = {0};
    rd_kafka_t *rk;

    if (argc != 4) {
        (void)fprintf(stderr, "usage: bench_topic_span BROKERS TOPIC "
                              "PARTITIONS\n");
        return 64;
    }
    rk = connect_to(argv[1]);
    for (int32_t i = 0; i < strtol(argv[3], NULL, 10); i++)
        add_partition(&span, rk, argv[2], i);
    printf("{\"count\": %" PRId64 ", \"seconds\": %.3f}\n", span.count,
           (double)(span.last_ms - span.first_ms) / 1000);
    (void)rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return 0;
}
