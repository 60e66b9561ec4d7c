/*
 * kafka_limits.c - how much the client may fetch ahead.
 *
 * Partitions are read from their own queues, so librdkafka's limits hold for
 * each of them, and one member may get all partitions when the others die.
 *
 *     memory = waiting in queues + fetched past the limit
 *
 * Waiting: a queue is full by messages or by bytes.  The bytes that are
 * counted are payloads; a message takes about OVERHEAD more.  With N messages
 * and K bytes as limits, the worst is N messages of K/N bytes, which take
 * K + N * OVERHEAD; each of the two gets half.
 *
 * Fetched past the limit: one response is under way when a queue fills, and
 * compressed batches grow when they are opened: lines that repeat, in zstd, a
 * hundred times, and large messages of them some thousand times.  So responses
 * are cut to a RATIO-th of their share of memory, or less where samples grew
 * more (kafka_sample.c).  Small responses cost little: librdkafka asks for the
 * next one at once, and a first batch comes whole.
 *
 * That one, though, each partition has however small its limits are.  So there
 * is also a limit on how many are fetched at the same time: what half of the
 * memory has room for, when each has such a batch.
 *
 * Threads: pure functions.
 */
#include "kafka_limits.h"

enum {
    OVERHEAD = KAFKA_MESSAGE_OVERHEAD,
    USUAL_BATCH = 1024 * 1024, /* what producers write at most by default */
    RATIO = 128,
    MIN_MESSAGES = 16,
    MAX_MESSAGES = 1000000,
    MIN_FETCH = 16 * 1024,
    MIN_FETCH_GROWN = 1024, /* one batch */
    MAX_PARTITION_FETCH = 1024 * 1024,
    MAX_FETCH = 50 * 1024 * 1024
};

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
    if (value < min)
        return min;
    return value > max ? max : value;
}

struct kafka_limits kafka_limits_for(size_t memory, unsigned partitions,
                                     unsigned brokers, uint64_t growth)
{
    const int64_t ratio = clamp((int64_t)growth, RATIO, INT32_MAX);
    const int64_t least = ratio > RATIO ? MIN_FETCH_GROWN : MIN_FETCH;
    const int64_t waiting = (int64_t)memory / 2 / partitions;
    const int64_t passing = (int64_t)memory / 2 / ratio;

    return (struct kafka_limits){
        .queue_messages =
            clamp(waiting / 2 / OVERHEAD, MIN_MESSAGES, MAX_MESSAGES),
        .queue_kbytes = clamp(waiting / 2 / 1024, 1, 2097151),
        .partition_bytes =
            clamp(passing / partitions, least, MAX_PARTITION_FETCH),
        .fetch_bytes = clamp(passing / brokers, 4 * least, MAX_FETCH),
    };
}

unsigned kafka_limits_partitions(size_t memory, size_t max_message_bytes,
                                 uint64_t batch)
{
    uint64_t most = USUAL_BATCH;

    if (max_message_bytes > most)
        most = max_message_bytes;
    if (batch > most)
        most = batch;
    return (unsigned)clamp((int64_t)(memory / 2 / most), 1, INT32_MAX);
}
