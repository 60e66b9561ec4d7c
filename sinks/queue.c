/*
 * queue.c - what a sink worker holds: batches in order, lanes that wait.
 *
 * In an ordered mode a message that is tried again is never overtaken: its lane
 * is held, and whatever comes of that lane, in the same batch or a later one,
 * waits behind it.  All other lanes go on.
 *
 * Threads: its worker's.
 */
#include "queue.h"

#include <stdlib.h>

#include "clock.h"

void queue_init(struct batch_queue *queue)
{
    queue->head = NULL;
    queue->tail = &queue->head;
}

void queue_add(struct batch_queue *queue, struct weir_batch *batch)
{
    batch->next = NULL;
    *queue->tail = batch;
    queue->tail = &batch->next;
}

void queue_push(struct batch_queue *queue, struct weir_batch *batch)
{
    batch->next = queue->head;
    if (!queue->head)
        queue->tail = &batch->next;
    queue->head = batch;
}

void queue_remove(struct batch_queue *queue, struct weir_batch *batch)
{
    struct weir_batch **at = &queue->head;

    while (*at != batch)
        at = &(*at)->next;
    *at = batch->next;
    if (!*at)
        queue->tail = at;
    batch->next = NULL;
}

struct weir_batch *queue_pop(struct batch_queue *queue)
{
    struct weir_batch *batch = queue->head;

    if (batch)
        queue_remove(queue, batch);
    return batch;
}

void queue_join_front(struct batch_queue *queue, struct batch_queue *from)
{
    if (!from->head)
        return;
    *from->tail = queue->head;
    if (!queue->head)
        queue->tail = from->tail;
    queue->head = from->head;
    queue_init(from);
}

struct held_lane *lanes_find(struct sink *sink, uint64_t lane)
{
    struct held_lane *held = sink->lanes;

    while (held && held->lane != lane)
        held = held->next;
    return held;
}

enum weir_status lanes_hold(struct sink *sink, struct weir_message *msg,
                            int64_t due_us)
{
    struct held_lane *held = lanes_find(sink, msg->lane);

    if (!held) {
        held = malloc(sizeof *held);
        if (!held)
            return WEIR_RETRY;
        *held = (struct held_lane){
            .next = sink->lanes, .lane = msg->lane, .due_us = due_us};
        mail_list_init(&held->messages);
        sink->lanes = held;
    }
    msg->mail = (struct mail){.count = 1, .size = msg->record->size};
    mail_list_add(&held->messages, &msg->mail);
    return WEIR_OK;
}

void lanes_give_up(struct sink *sink, uint64_t lane)
{
    struct held_lane *held = calloc(1, sizeof *held);

    if (!held)
        return; /* the run ends; its order is lost with the memory */
    *held = (struct held_lane){
        .next = sink->lanes, .lane = lane, .due_us = CLOCK_NEVER_US};
    mail_list_init(&held->messages);
    sink->lanes = held;
}

struct held_lane *lanes_due(struct sink *sink, int64_t now_us)
{
    struct held_lane **at = &sink->lanes;
    struct held_lane *held;

    while (*at && (*at)->due_us > now_us)
        at = &(*at)->next;
    held = *at;
    if (held)
        *at = held->next;
    return held;
}

int64_t lanes_due_us(const struct sink *sink)
{
    int64_t due = CLOCK_NEVER_US;

    for (const struct held_lane *held = sink->lanes; held; held = held->next)
        due = held->due_us < due ? held->due_us : due;
    return due;
}

bool lanes_split(struct sink *sink, struct weir_batch *batch)
{
    uint32_t kept = 0;

    if (!sink->lanes)
        return true;
    batch->mail = (struct mail){0};
    for (uint32_t i = 0; i < batch->count; i++) {
        struct weir_message *msg = batch->messages[i];

        /* A held lane takes more without memory. */
        if (lanes_find(sink, msg->lane) && lanes_hold(sink, msg, 0) == WEIR_OK)
            continue;
        batch->messages[kept++] = msg;
        batch->mail.count++;
        batch->mail.size += msg->record->size;
    }
    batch->count = kept;
    if (kept > 0)
        return true;
    batch_destroy(batch);
    return false;
}
