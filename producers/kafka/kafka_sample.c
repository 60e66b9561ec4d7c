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

enum { NEAR_END = 64, ASK_MS = 500, ALL_MS = 1000 };

static bool is_empty(rd_kafka_t *rk, const char *topic, int32_t partition)
{
    int64_t low = 0, high = 0;

    return rd_kafka_query_watermark_offsets(rk, topic, partition, &low, &high,
                                            ASK_MS) !=
               RD_KAFKA_RESP_ERR_NO_ERROR ||
           low >= high;
}

/* What one response brought, in bytes of messages. */
static uint64_t read_response(rd_kafka_queue_t *queue, int64_t deadline_us)
{
    rd_kafka_message_t *message =
        rd_kafka_consume_queue(queue, clock_until_ms(deadline_us, ASK_MS));
    uint64_t size = 0;

    if (!message)
        return 0;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        size = (message->len + message->key_len) *
               (1 + (uint64_t)rd_kafka_queue_length(queue));
    rd_kafka_message_destroy(message);
    return size;
}

static uint64_t sample(rd_kafka_t *rk, const char *name, int32_t partition,
                       int64_t deadline_us)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    uint64_t size = 0;

    if (topic && rd_kafka_consume_start_queue(topic, partition,
                                              RD_KAFKA_OFFSET_TAIL(NEAR_END),
                                              queue) == 0) {
        size = read_response(queue, deadline_us);
        (void)rd_kafka_consume_stop(topic, partition);
    }
    if (topic)
        rd_kafka_topic_destroy(topic);
    rd_kafka_queue_destroy(queue);
    return size;
}

uint64_t kafka_sample_growth(rd_kafka_t *rk,
                             const rd_kafka_topic_partition_list_t *partitions)
{
    const uint64_t fetched = strtoull(KAFKA_SAMPLE_BYTES, NULL, 10);
    const int64_t deadline_us = clock_after_us(ALL_MS * INT64_C(1000));
    uint64_t most = 0;

    for (int i = 0; i < partitions->cnt; i++) {
        const rd_kafka_topic_partition_t *at = &partitions->elems[i];
        uint64_t size;

        if (clock_now_us() >= deadline_us ||
            is_empty(rk, at->topic, at->partition))
            continue;
        size = sample(rk, at->topic, at->partition, deadline_us);
        most = size > most ? size : most;
    }
    return (most + fetched - 1) / fetched;
}
