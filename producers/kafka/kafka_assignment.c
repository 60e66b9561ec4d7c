/*
 * kafka_assignment.c - which partitions this member has.
 *
 *     given ----> where to begin? ---- known ----> taken: epoch begins, read
 *       ^               | broker doesn't answer         |
 *       |               v                               v
 *       +---- pending, again in a moment           taken away
 *                                                       |
 *     lost: epoch ends at once, no commit               | else
 *                                                       v
 *            stop reading, drain what was begun, commit, epoch ends
 *
 * The library calls us back from inside rd_kafka_consumer_poll(), so inside
 * pull().  It waits, and with it the whole group, until we answer by
 * (un)assigning; heartbeats go on meanwhile.  So a revocation is drained for
 * at most `drain_timeout`, and a partition whose start isn't known yet is
 * answered later, from kafka_assignment_serve(), rather than waited for.
 *
 * Invariant: a partition object exists only between its assign and its
 * unassign, and every one of its settlements arrives in between.
 *
 * Threads: the producer's.
 */
#include "kafka_assignment.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "kafka_commit.h"
#include "kafka_member.h"
#include "kafka_start.h"
#include "kafka_turns.h"

enum { RETRY_MS = 500, COMMIT_MS = 1000 };

static void note_error(struct kafka_producer *kafka, rd_kafka_error_t *error,
                       rd_kafka_resp_err_t rc)
{
    if (error) {
        kafka_trouble_note(&kafka->trouble, rd_kafka_error_code(error),
                           rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    } else if (rc != RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_trouble_note(&kafka->trouble, rc, "taking partitions");
    }
}

static void assign(struct kafka_producer *kafka,
                   const rd_kafka_topic_partition_list_t *list)
{
    if (kafka->assignment.is_cooperative)
        note_error(kafka, rd_kafka_incremental_assign(kafka->rk, list),
                   RD_KAFKA_RESP_ERR_NO_ERROR);
    else
        note_error(kafka, NULL, rd_kafka_assign(kafka->rk, list));
    kafka_turns_rest(kafka);
}

static void unassign(struct kafka_producer *kafka,
                     const rd_kafka_topic_partition_list_t *list)
{
    if (kafka->assignment.is_cooperative)
        note_error(kafka, rd_kafka_incremental_unassign(kafka->rk, list),
                   RD_KAFKA_RESP_ERR_NO_ERROR);
    else
        note_error(kafka, NULL, rd_kafka_assign(kafka->rk, NULL));
}

static int64_t end_of(const struct kafka_producer *kafka, const char *topic,
                      int32_t number)
{
    const rd_kafka_topic_partition_t *end =
        kafka->assignment.ends ? rd_kafka_topic_partition_list_find(
                                     kafka->assignment.ends, topic, number)
                               : NULL;

    return end ? end->offset : INT64_MAX;
}

static enum weir_status begin(struct kafka_producer *kafka,
                              const rd_kafka_topic_partition_t *element)
{
    struct kafka_partition *part = kafka_partition_create(
        kafka, element->topic, element->partition, element->offset);
    struct weir_origin origin = {element->topic, element->partition};

    if (!part)
        return WEIR_RETRY;
    part->end = end_of(kafka, part->topic, part->number);
    part->topic_partitions = kafka_start_marked(element);
    if (kafka_partition_enter(kafka, part) != WEIR_OK) {
        kafka_partition_destroy(part);
        return WEIR_RETRY;
    }
    kafka_turns_enter(kafka, part);
    if (weir_intake_begin(kafka->intake, part->source, &origin) != WEIR_OK) {
        kafka_partition_leave(kafka, part);
        kafka_partition_destroy(part);
        return WEIR_RETRY;
    }
    return WEIR_OK;
}

static void end(struct kafka_producer *kafka, struct kafka_partition *part)
{
    weir_intake_end(kafka->intake, part->source);
    kafka_partition_leave(kafka, part);
    kafka_partition_destroy(part);
}

static void end_all(struct kafka_producer *kafka,
                    const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        struct kafka_partition *part = kafka_partition_find(
            kafka, list->elems[i].topic, list->elems[i].partition);

        if (part)
            end(kafka, part);
    }
}

static enum weir_status begin_all(struct kafka_producer *kafka,
                                  const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        if (begin(kafka, &list->elems[i]) != WEIR_OK) {
            end_all(kafka, list);
            return WEIR_AGAIN;
        }
    return WEIR_OK;
}

static enum weir_status take(struct kafka_producer *kafka,
                             rd_kafka_topic_partition_list_t *list)
{
    enum weir_status status = kafka_start_resolve(kafka, list);

    if (status == WEIR_OK && kafka->share->until_end)
        status = kafka_start_find_ends(kafka, list);
    if (status == WEIR_OK)
        status = begin_all(kafka, list);
    return status;
}

void kafka_assignment_serve(struct kafka_producer *kafka)
{
    struct kafka_assignment *assignment = &kafka->assignment;
    rd_kafka_topic_partition_list_t *list = assignment->pending;

    if (!list || clock_now_us() < assignment->retry_us)
        return;
    if (take(kafka, list) != WEIR_OK) {
        assignment->retry_us = clock_after_us(RETRY_MS * INT64_C(1000));
        return;
    }
    assignment->pending = NULL;
    assignment->has_joined = true;
    kafka_turns_prepare(kafka, list);
    assign(kafka, list);
    rd_kafka_topic_partition_list_destroy(list);
    kafka_trouble_clear(&kafka->trouble);
}

static void forget_pending(struct kafka_producer *kafka)
{
    if (kafka->assignment.pending)
        rd_kafka_topic_partition_list_destroy(kafka->assignment.pending);
    kafka->assignment.pending = NULL;
}

/* One deadline for all of them, however many are slow. */
static void drain(struct kafka_producer *kafka,
                  const rd_kafka_topic_partition_list_t *list)
{
    const int64_t deadline_us = clock_after_us(kafka->options.drain_timeout_us);
    unsigned unfinished = 0;

    for (int i = 0; i < list->cnt; i++) {
        struct kafka_partition *part = kafka_partition_find(
            kafka, list->elems[i].topic, list->elems[i].partition);

        if (part && weir_intake_await(kafka->intake, part->source,
                                      deadline_us) != WEIR_OK)
            unfinished++;
    }
    if (unfinished > 0)
        log_write(WEIR_LOG_WARNING,
                  "kafka: %u partitions were taken away before all that was "
                  "begun had ended; their next owner repeats it",
                  unfinished);
    if (kafka_commit_wait(kafka, clock_after_us(COMMIT_MS * INT64_C(1000))) !=
        WEIR_OK)
        log_write(WEIR_LOG_WARNING,
                  "kafka: offsets of partitions that were taken away could "
                  "not be committed: some messages will repeat");
}

static void give_back(struct kafka_producer *kafka,
                      rd_kafka_topic_partition_list_t *list)
{
    const bool is_lost = rd_kafka_assignment_lost(kafka->rk) != 0;

    if (is_lost)
        log_write(WEIR_LOG_WARNING,
                  "kafka: group '%s' went on without this member; its %d "
                  "partitions are read again by whoever has them now",
                  kafka->trouble.access.group, list->cnt);
    forget_pending(kafka);
    /* Until it is given some again, or none, it has no end to be at. */
    kafka->assignment.has_joined = false;
    if (!is_lost)
        drain(kafka, list);
    end_all(kafka, list);
    unassign(kafka, list);
}

void kafka_assignment_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what,
                                rd_kafka_topic_partition_list_t *list,
                                void *opaque)
{
    const struct kafka_trouble *trouble = opaque;
    struct kafka_producer *kafka = trouble->owner;

    kafka->assignment.is_cooperative =
        strcmp(rd_kafka_rebalance_protocol(rk), "COOPERATIVE") == 0;
    if (what != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        give_back(kafka, list);
        return;
    }
    log_write(WEIR_LOG_INFO,
              "kafka: group '%s' gives this member %d partitions",
              kafka->trouble.access.group, list->cnt);
    forget_pending(kafka);
    kafka->assignment.pending = rd_kafka_topic_partition_list_copy(list);
    kafka->assignment.retry_us = 0;
    kafka_assignment_serve(kafka);
}

/* Reads every partition again, from its `next` on. */
static void restart(struct kafka_producer *kafka)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(16);

    for (size_t i = 0; i < kafka->partitions.size; i++) {
        struct kafka_partition *part = kafka->partitions.list[i];

        if (!part)
            continue;
        rd_kafka_topic_partition_list_add(list, part->topic, part->number)
            ->offset = part->next;
        part->is_idle = false;
    }
    if (kafka->assignment.is_cooperative)
        unassign(kafka, list);
    assign(kafka, list);
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_assignment_cross(struct kafka_producer *kafka,
                            struct kafka_partition *part, int64_t next)
{
    rd_kafka_topic_partition_list_t *list = NULL;

    if (next < part->next) {
        list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(list, part->topic, part->number)
            ->offset = next;
        end(kafka, part);
        if (begin(kafka, &list->elems[0]) != WEIR_OK)
            kafka->trouble.is_fatal = true; /* no memory for one partition */
        rd_kafka_topic_partition_list_destroy(list);
    } else {
        part->next = next;
        part->has_gap = false;
    }
    restart(kafka);
}

void kafka_assignment_finish(struct kafka_producer *kafka)
{
    for (size_t i = 0; i < kafka->partitions.size; i++)
        kafka_partition_destroy(kafka->partitions.list[i]);
    free(kafka->partitions.list);
    kafka->partitions = (struct kafka_partitions){0};
    forget_pending(kafka);
    if (kafka->assignment.ends)
        rd_kafka_topic_partition_list_destroy(kafka->assignment.ends);
    kafka->assignment = (struct kafka_assignment){0};
}
