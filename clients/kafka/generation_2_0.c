/*
 * generation_2_0.c - librdkafka before 2.2.
 *
 * When a partition's fetch queue is full, the thread of its broker goes to
 * sleep for up to a second, and nothing that a reader does wakes it: a reader
 * faster than one queue per second stands still for the rest of it.  Larger
 * queues would hide that at the price of memory.  Any request for that broker
 * wakes its thread, which then looks at the queues again; so we ask for an
 * offset, and don't wait for the answer.
 *
 * Threads: that of the caller.
 */
#include "kafka_generation.h"

#include <stddef.h>

static const struct kafka_value values[] = {{NULL, NULL}};

const struct kafka_value *kafka_generation_values(void)
{
    return values;
}

void kafka_generation_refill(rd_kafka_t *rk, const char *topic,
                             int32_t partition)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset =
        RD_KAFKA_OFFSET_END;
    (void)rd_kafka_offsets_for_times(rk, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
}
