/*
 * kafka_commit.c - telling the group how far its partitions are done.
 *
 * Commits are our own, asynchronous, and one at a time:
 *
 *     settle ---> watermark ---> every interval, or urgent ---> request
 *                                                                 |
 *     committed <--------- answer, on a queue of its own <--------+
 *
 * Urgent means that a partition's window is half full, or that a drain waits.
 * `sent` is what was asked for last, `committed` what the coordinator said yes
 * to; a window counts from the latter, because that is where a successor would
 * begin.  A request that failed is forgotten (`sent` falls back), and the next
 * one says the same or more.
 *
 * Why not the library's automatic commits of stored offsets: they can't be
 * asked for at once, and don't say when they have arrived; both are needed to
 * bound what repeats after a kill.  Why not a synchronous commit: with the
 * broker down it came back after 45 s.
 *
 * Threads: the producer's.
 */
#include "kafka_commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "kafka_member.h"
#include "kafka_start.h"

enum { STEP_MS = 50, PAUSE_MS = 250 };

static bool is_behind(const struct kafka_partition *part, int64_t offset)
{
    return watermark_commit_point(part->mark) > offset;
}

/* A new list of what is settled and not asked for; marks it as asked for. */
static rd_kafka_topic_partition_list_t *collect(struct kafka_producer *kafka)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(16);

    for (size_t i = 0; i < kafka->partitions.size; i++) {
        struct kafka_partition *part = kafka->partitions.list[i];
        rd_kafka_topic_partition_t *element;

        if (!part || !is_behind(part, part->sent))
            continue;
        element =
            rd_kafka_topic_partition_list_add(list, part->topic, part->number);
        element->offset = watermark_commit_point(part->mark);
        kafka_start_mark(element, part->topic_partitions);
        part->sent = element->offset;
        part->sent_head = watermark_head(part->mark);
    }
    return list;
}

static void forget_sent(struct kafka_producer *kafka)
{
    for (size_t i = 0; i < kafka->partitions.size; i++) {
        struct kafka_partition *part = kafka->partitions.list[i];

        if (part)
            part->sent = part->committed;
    }
    kafka->commit.next_us = clock_after_us(PAUSE_MS * INT64_C(1000));
}

static void send_request(struct kafka_producer *kafka)
{
    struct kafka_commit *commit = &kafka->commit;
    rd_kafka_topic_partition_list_t *list = collect(kafka);
    rd_kafka_resp_err_t rc = RD_KAFKA_RESP_ERR_NO_ERROR;

    commit->next_us = clock_after_us(kafka->options.commit_interval_us);
    commit->is_urgent = false;
    if (list->cnt > 0) {
        rc = rd_kafka_commit_queue(kafka->rk, list, commit->queue, NULL, NULL);
        commit->is_in_flight = rc == RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_trouble_note(&kafka->trouble, rc, "committing offsets");
        forget_sent(kafka);
    }
}

static void take_element(struct kafka_producer *kafka,
                         const rd_kafka_topic_partition_t *element)
{
    struct kafka_partition *part =
        kafka_partition_find(kafka, element->topic, element->partition);

    /* Of a partition that was taken away meanwhile: of no interest. */
    if (!part || part->sent != element->offset)
        return;
    if (element->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_trouble_note(&kafka->trouble, element->err, "committing offsets");
        return;
    }
    part->committed = part->sent;
    part->safe_head = part->sent_head;
}

static void take_answer(struct kafka_producer *kafka, rd_kafka_event_t *event)
{
    const rd_kafka_resp_err_t rc = rd_kafka_event_error(event);
    const rd_kafka_topic_partition_list_t *list =
        rd_kafka_event_topic_partition_list(event);

    kafka->commit.is_in_flight = false;
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR && rc != RD_KAFKA_RESP_ERR__NO_OFFSET)
        kafka_trouble_note(&kafka->trouble, rc, "committing offsets");
    else
        kafka_trouble_clear(&kafka->trouble);
    for (int i = 0; list && rc == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt;
         i++)
        take_element(kafka, &list->elems[i]);
    for (size_t i = 0; i < kafka->partitions.size; i++) {
        const struct kafka_partition *part = kafka->partitions.list[i];

        if (part && part->sent != part->committed) {
            forget_sent(kafka);
            return;
        }
    }
}

static void take_answers(struct kafka_producer *kafka, int wait_ms)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(kafka->commit.queue, wait_ms);

    while (event) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT)
            take_answer(kafka, event);
        rd_kafka_event_destroy(event);
        event = rd_kafka_queue_poll(kafka->commit.queue, 0);
    }
}

void kafka_commit_serve(struct kafka_producer *kafka)
{
    struct kafka_commit *commit = &kafka->commit;

    if (commit->is_in_flight)
        take_answers(kafka, 0);
    if (!commit->is_in_flight &&
        (commit->is_urgent || clock_now_us() >= commit->next_us))
        send_request(kafka);
}

void kafka_commit_hasten(struct kafka_producer *kafka,
                         const struct kafka_partition *part)
{
    const uint64_t limit = kafka->options.max_uncommitted;
    const uint64_t window = kafka_partition_window(part);
    const uint64_t done = watermark_head(part->mark) - part->safe_head;

    if (done > 0 &&
        (window >= limit || (window >= limit / 2 && done >= window / 4)))
        kafka->commit.is_urgent = true;
}

bool kafka_commit_is_complete(const struct kafka_producer *kafka)
{
    for (size_t i = 0; i < kafka->partitions.size; i++) {
        const struct kafka_partition *part = kafka->partitions.list[i];

        if (part && is_behind(part, part->committed))
            return false;
    }
    return true;
}

enum weir_status kafka_commit_wait(struct kafka_producer *kafka,
                                   int64_t deadline_us)
{
    struct kafka_commit *commit = &kafka->commit;

    commit->is_urgent = true;
    while (!kafka_commit_is_complete(kafka)) {
        const int wait_ms = clock_until_ms(deadline_us, STEP_MS);

        if (wait_ms == 0)
            return WEIR_AGAIN;
        if (!commit->is_in_flight &&
            (commit->is_urgent || clock_now_us() >= commit->next_us))
            send_request(kafka);
        take_answers(kafka, wait_ms);
    }
    return WEIR_OK;
}
