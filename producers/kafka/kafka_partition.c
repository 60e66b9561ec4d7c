/*
 * kafka_partition.c - one assigned partition, for one epoch.
 *
 * A partition is an object from its assignment to its revocation and no
 * longer, so nothing of an old epoch can be mistaken for the new one's: not a
 * ticket, not a stashed message, not a commit under way.
 *
 * Its queue is not forwarded to the group's: what isn't wanted now simply
 * stays in it.  Pausing instead would throw the prefetched messages away, and
 * is done only where there is no memory for them: kafka_turns.c.
 *
 * Threads: the producer's.
 */
#include "kafka_partition.h"

#include <stdlib.h>
#include <string.h>

#include "kafka_member.h"

static rd_kafka_queue_t *own_queue(struct kafka_producer *kafka,
                                   const char *topic, int32_t number)
{
    const uint64_t one = 1;
    rd_kafka_queue_t *queue =
        rd_kafka_queue_get_partition(kafka->rk, topic, number);

    if (!queue)
        return NULL;
    rd_kafka_queue_forward(queue, NULL);
    rd_kafka_queue_io_event_enable(queue, kafka->fd - 1, &one, sizeof one);
    return queue;
}

struct kafka_partition *kafka_partition_create(struct kafka_producer *kafka,
                                               const char *topic,
                                               int32_t number, int64_t next)
{
    struct kafka_partition *part = calloc(1, sizeof *part);

    if (!part)
        return NULL;
    part->number = number;
    part->next = next;
    part->end = INT64_MAX;
    part->sent = part->committed = next;
    part->topic = strdup(topic);
    part->mark = watermark_create(kafka->options.max_uncommitted);
    part->queue = own_queue(kafka, topic, number);
    if (!part->topic || !part->mark || !part->queue) {
        kafka_partition_destroy(part);
        return NULL;
    }
    return part;
}

void kafka_partition_destroy(struct kafka_partition *part)
{
    if (!part)
        return;
    if (part->stash)
        rd_kafka_message_destroy(part->stash);
    if (part->queue) {
        rd_kafka_queue_io_event_enable(part->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(part->queue);
    }
    watermark_destroy(part->mark);
    free(part->topic);
    free(part);
}

enum weir_status kafka_partition_enter(struct kafka_producer *kafka,
                                       struct kafka_partition *part)
{
    struct kafka_partitions *all = &kafka->partitions;
    struct kafka_partition **list;
    size_t slot = 0;

    while (slot < all->size && all->list[slot])
        slot++;
    if (slot == all->size) {
        list =
            realloc(all->list, (slot + 1) * sizeof(struct kafka_partition *));
        if (!list)
            return WEIR_RETRY;
        all->list = list;
        all->size++;
    }
    all->list[slot] = part;
    part->source = (uint32_t)slot;
    return WEIR_OK;
}

void kafka_partition_leave(struct kafka_producer *kafka,
                           struct kafka_partition *part)
{
    kafka->partitions.list[part->source] = NULL;
}

struct kafka_partition *kafka_partition_find(const struct kafka_producer *kafka,
                                             const char *topic, int32_t number)
{
    for (size_t i = 0; i < kafka->partitions.size; i++) {
        struct kafka_partition *part = kafka->partitions.list[i];

        if (part && part->number == number && strcmp(part->topic, topic) == 0)
            return part;
    }
    return NULL;
}

uint64_t kafka_partition_window(const struct kafka_partition *part)
{
    return watermark_tail(part->mark) - part->safe_head;
}
