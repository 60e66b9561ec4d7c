/*
 * generation_2_2.c - librdkafka from 2.2 on.
 */
#include "kafka_generation.h"

#include <stddef.h>

/* A full fetch queue is looked at again after this time, not after a second. */
static const struct kafka_value values[] = {
    {"fetch.queue.backoff.ms", "5"},
    {NULL, NULL},
};

const struct kafka_value *kafka_generation_values(void)
{
    return values;
}

void kafka_generation_refill(rd_kafka_t *rk, const char *topic,
                             int32_t partition)
{
    (void)rk;
    (void)topic;
    (void)partition;
}
