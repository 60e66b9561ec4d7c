/*
 * kafka_sample.c - how much what a topic holds grows when it is opened.
 *
 * librdkafka opens a whole response at once, on a thread of its own, and only
 * then looks at the limits of its queues.  Lines that repeat, as messages of a
 * MiB in zstd, grow some thousand times: a response of 64 KiB would take all of
 * the memory, and a client can't be told to fetch less once it was made.
 *
 * So before it is made, a small client reads one response of at most 1 KiB from
 * a few partitions, near their ends, and what came is counted.  The first batch
 * comes whole, however large; then the answer is more than it should be, and
 * does no harm: batches of that size come one by one in any case.
 *
 * Threads: the producer's, inside open().
 */
#include "kafka_sample.h"

#include <stdbool.h>
#include <stdlib.h>

#include "clock.h"
#include "kafka_limits.h"

enum { NEAR_END = 64, ALL_MS = 5000, CAREFUL = 4096 };

struct sampling {
    rd_kafka_t *rk;
    int64_t deadline_us;
    uint64_t most;  /* bytes of messages that one response brought */
    uint64_t batch; /* the same, as they are in memory */
    bool has_failed;
};

static int rest_ms(const struct sampling *sampling)
{
    return clock_until_ms(sampling->deadline_us, ALL_MS);
}

static bool is_empty(struct sampling *sampling, const char *topic,
                     int32_t partition)
{
    int64_t low = 0, high = 0;

    if (rd_kafka_query_watermark_offsets(sampling->rk, topic, partition, &low,
                                         &high, rest_ms(sampling)) ==
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return low >= high;
    sampling->has_failed = true;
    return true;
}

static void read_response(struct sampling *sampling, rd_kafka_queue_t *queue)
{
    rd_kafka_message_t *message =
        rd_kafka_consume_queue(queue, rest_ms(sampling));
    uint64_t size = 0, count = 0;

    if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        count = 1 + (uint64_t)rd_kafka_queue_length(queue);
        size = (message->len + message->key_len) * count;
    } else {
        sampling->has_failed = true;
    }
    if (message)
        rd_kafka_message_destroy(message);
    sampling->most = size > sampling->most ? size : sampling->most;
    size += count * KAFKA_MESSAGE_OVERHEAD;
    sampling->batch = size > sampling->batch ? size : sampling->batch;
}

static void sample(struct sampling *sampling, const char *name,
                   int32_t partition)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(sampling->rk, name, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(sampling->rk);

    if (topic && rd_kafka_consume_start_queue(topic, partition,
                                              RD_KAFKA_OFFSET_TAIL(NEAR_END),
                                              queue) == 0) {
        read_response(sampling, queue);
        (void)rd_kafka_consume_stop(topic, partition);
    }
    if (topic)
        rd_kafka_topic_destroy(topic);
    rd_kafka_queue_destroy(queue);
}

struct kafka_sample kafka_sample_take(
    rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *partitions)
{
    const uint64_t fetched = strtoull(KAFKA_SAMPLE_BYTES, NULL, 10);
    struct sampling sampling = {
        .rk = rk, .deadline_us = clock_after_us(ALL_MS * INT64_C(1000))};

    for (int i = 0; i < partitions->cnt && rest_ms(&sampling) > 0; i++) {
        const rd_kafka_topic_partition_t *at = &partitions->elems[i];

        if (!is_empty(&sampling, at->topic, at->partition))
            sample(&sampling, at->topic, at->partition);
    }
    if (sampling.most == 0 && sampling.has_failed)
        return (struct kafka_sample){.growth = CAREFUL};
    return (struct kafka_sample){.growth =
                                     (sampling.most + fetched - 1) / fetched,
                                 .batch = sampling.batch};
}
