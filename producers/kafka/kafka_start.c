/*
 * kafka_start.c - from which offset a partition is read.
 *
 * A partition with a committed offset goes on there.  One without has a start,
 * and that start is committed before the first message is offered: otherwise
 * an idle partition of a group that begins at "latest" is resolved again after
 * a restart, past everything that came meanwhile.
 *
 *     committed? --yes--> go on there
 *         | no
 *     did the group begin without it? --yes--> earliest: nothing is skipped
 *         | no: the group begins now
 *     `start`: earliest | latest | time ----> commit it ----> read
 *
 * "The group begins now" must be the same answer for all members that begin
 * together, although the first to commit makes the group look old to the next.
 * So a start is committed with a mark, "weir:partitions=4": partitions below 4
 * were there when the group began and follow `start`, those above came later.
 *
 * The library would do all this by itself (`auto.offset.reset`), but silently,
 * and without a commit.
 *
 * Invariant: nothing here waits longer than CALL_MS per call to the library.
 *
 * Threads: the producer's, inside pull().
 */
#include "kafka_start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kafka_member.h"

enum { CALL_MS = 1000 };

static const char mark_prefix[] = "weir:partitions=";

static enum weir_status refused(struct kafka_producer *kafka,
                                rd_kafka_resp_err_t rc, const char *what)
{
    kafka_trouble_note(&kafka->trouble, rc, what);
    return WEIR_AGAIN;
}

/* Replaces each element's offset (a time, or one of the logical ones). */
static enum weir_status look_up(struct kafka_producer *kafka,
                                rd_kafka_topic_partition_list_t *list)
{
    static const char what[] = "asking for a partition's offsets";
    rd_kafka_resp_err_t rc;

    if (list->cnt == 0)
        return WEIR_OK;
    rc = rd_kafka_offsets_for_times(kafka->rk, list, CALL_MS);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        return refused(kafka, rc, what);
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return refused(kafka, list->elems[i].err, what);
    return WEIR_OK;
}

static enum weir_status read_committed(struct kafka_producer *kafka,
                                       rd_kafka_topic_partition_list_t *list)
{
    static const char what[] = "asking for the group's offsets";
    const rd_kafka_resp_err_t rc = rd_kafka_committed(kafka->rk, list, CALL_MS);

    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        return refused(kafka, rc, what);
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
            return refused(kafka, list->elems[i].err, what);
    return WEIR_OK;
}

void kafka_start_mark(rd_kafka_topic_partition_t *element,
                      int32_t topic_partitions)
{
    char text[sizeof mark_prefix + 12];

    if (topic_partitions <= 0)
        return;
    element->metadata_size = (size_t)snprintf(
        text, sizeof text, "%s%d", mark_prefix, (int)topic_partitions);
    element->metadata = strdup(text);
    if (!element->metadata)
        element->metadata_size = 0;
}

int32_t kafka_start_marked(const rd_kafka_topic_partition_t *element)
{
    const size_t prefix = sizeof mark_prefix - 1;
    char number[12] = "";
    size_t size;

    if (element->metadata_size <= prefix ||
        memcmp(element->metadata, mark_prefix, prefix) != 0)
        return 0;
    size = element->metadata_size - prefix;
    if (size >= sizeof number)
        return 0;
    memcpy(number, (const char *)element->metadata + prefix, size);
    return (int32_t)strtol(number, NULL, 10);
}

static enum weir_status count_partitions(struct kafka_producer *kafka,
                                         const char *topic, int32_t *ret_count)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(kafka->rk, topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t rc =
        rd_kafka_metadata(kafka->rk, 0, handle, &metadata, CALL_MS);

    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1)
        *ret_count = metadata->topics[0].partition_cnt;
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        return refused(kafka, rc, "asking for a topic's partitions");
    return WEIR_OK;
}

/* Partitions below *ret_marked follow `start`; the topic has *ret_count. */
static enum weir_status group_beginning(struct kafka_producer *kafka,
                                        const char *topic, int32_t *ret_count,
                                        int32_t *ret_marked)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    int32_t count = 0, marked = 0;
    bool is_new = true;
    enum weir_status status = count_partitions(kafka, topic, &count);

    if (status != WEIR_OK || count == 0)
        return status == WEIR_OK ? WEIR_AGAIN : status;
    list = rd_kafka_topic_partition_list_new(count);
    rd_kafka_topic_partition_list_add_range(list, topic, 0, count - 1);
    status = read_committed(kafka, list);
    for (int i = 0; status == WEIR_OK && i < list->cnt; i++) {
        const int32_t mark = kafka_start_marked(&list->elems[i]);

        is_new &= list->elems[i].offset < 0;
        if (mark > marked)
            marked = mark;
    }
    rd_kafka_topic_partition_list_destroy(list);
    *ret_count = count;
    *ret_marked = is_new ? count : marked;
    return status;
}

static int64_t wanted_start(const struct kafka_options *options)
{
    switch (options->start) {
    case KAFKA_START_LATEST:
        return RD_KAFKA_OFFSET_END;
    case KAFKA_START_AT:
        return options->start_ms;
    default:
        return RD_KAFKA_OFFSET_BEGINNING;
    }
}

/* A new list of those without a commit, with where they want to begin. */
static enum weir_status choose_starts(
    struct kafka_producer *kafka, const rd_kafka_topic_partition_list_t *list,
    rd_kafka_topic_partition_list_t *starts)
{
    const char *topic = "";
    int32_t count = 0, marked = 0;

    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *element = &list->elems[i];
        rd_kafka_topic_partition_t *start;

        if (element->offset >= 0)
            continue;
        if (strcmp(topic, element->topic) != 0) {
            enum weir_status status =
                group_beginning(kafka, element->topic, &count, &marked);

            if (status != WEIR_OK)
                return status;
            topic = element->topic;
        }
        start = rd_kafka_topic_partition_list_add(starts, element->topic,
                                                  element->partition);
        start->offset = element->partition < marked
                            ? wanted_start(&kafka->options)
                            : RD_KAFKA_OFFSET_BEGINNING;
        kafka_start_mark(start, element->partition < marked ? count : 0);
    }
    return WEIR_OK;
}

static void ask_end(rd_kafka_topic_partition_list_t *list,
                    const rd_kafka_topic_partition_t *element)
{
    rd_kafka_topic_partition_list_add(list, element->topic, element->partition)
        ->offset = RD_KAFKA_OFFSET_END;
}

/* A time after the last message is the end. */
static enum weir_status look_up_starts(struct kafka_producer *kafka,
                                       rd_kafka_topic_partition_list_t *starts)
{
    rd_kafka_topic_partition_list_t *ends =
        rd_kafka_topic_partition_list_new(4);
    enum weir_status status = look_up(kafka, starts);

    for (int i = 0; status == WEIR_OK && i < starts->cnt; i++)
        if (starts->elems[i].offset < 0)
            ask_end(ends, &starts->elems[i]);
    if (status == WEIR_OK)
        status = look_up(kafka, ends);
    for (int i = 0; status == WEIR_OK && i < ends->cnt; i++)
        rd_kafka_topic_partition_list_find(starts, ends->elems[i].topic,
                                           ends->elems[i].partition)
            ->offset = ends->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(ends);
    return status;
}

/* On a queue of its own: the answer may come after we stopped waiting. */
static enum weir_status commit_starts(struct kafka_producer *kafka,
                                      rd_kafka_topic_partition_list_t *starts)
{
    static const char what[] = "committing where the group begins";
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->rk);
    rd_kafka_resp_err_t rc =
        rd_kafka_commit_queue(kafka->rk, starts, queue, NULL, NULL);
    rd_kafka_event_t *event = NULL;

    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR) {
        event = rd_kafka_queue_poll(queue, CALL_MS);
        rc = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    if (event && rc == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const rd_kafka_topic_partition_list_t *list =
            rd_kafka_event_topic_partition_list(event);

        for (int i = 0; list && i < list->cnt; i++)
            if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
                rc = list->elems[i].err;
    }
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return rc == RD_KAFKA_RESP_ERR_NO_ERROR ? WEIR_OK
                                            : refused(kafka, rc, what);
}

static enum weir_status resolve_starts(struct kafka_producer *kafka,
                                       rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *starts =
        rd_kafka_topic_partition_list_new(list->cnt);
    enum weir_status status = choose_starts(kafka, list, starts);

    if (status == WEIR_OK && starts->cnt > 0)
        status = look_up_starts(kafka, starts);
    if (status == WEIR_OK && starts->cnt > 0)
        status = commit_starts(kafka, starts);
    for (int i = 0; status == WEIR_OK && i < starts->cnt; i++) {
        rd_kafka_topic_partition_t *element =
            rd_kafka_topic_partition_list_find(list, starts->elems[i].topic,
                                               starts->elems[i].partition);

        element->offset = starts->elems[i].offset;
        free(element->metadata);
        element->metadata = NULL;
        kafka_start_mark(element, kafka_start_marked(&starts->elems[i]));
    }
    rd_kafka_topic_partition_list_destroy(starts);
    return status;
}

enum weir_status kafka_start_resolve(struct kafka_producer *kafka,
                                     rd_kafka_topic_partition_list_t *list)
{
    enum weir_status status;

    if (list->cnt == 0)
        return WEIR_OK;
    status = read_committed(kafka, list);
    if (status == WEIR_OK)
        status = resolve_starts(kafka, list);
    return status;
}

enum weir_status kafka_start_find_ends(
    struct kafka_producer *kafka, const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *known = kafka->assignment.ends;
    rd_kafka_topic_partition_list_t *asked =
        rd_kafka_topic_partition_list_new(list->cnt + 1);
    enum weir_status status;

    for (int i = 0; i < list->cnt; i++)
        if (!rd_kafka_topic_partition_list_find(known, list->elems[i].topic,
                                                list->elems[i].partition))
            ask_end(asked, &list->elems[i]);
    status = look_up(kafka, asked);
    for (int i = 0; status == WEIR_OK && i < asked->cnt; i++)
        rd_kafka_topic_partition_list_add(known, asked->elems[i].topic,
                                          asked->elems[i].partition)
            ->offset = asked->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(asked);
    return status;
}

enum weir_status kafka_start_find_bounds(struct kafka_producer *kafka,
                                         const struct kafka_partition *part,
                                         int64_t *ret_low, int64_t *ret_high)
{
    const int64_t logical[2] = {RD_KAFKA_OFFSET_BEGINNING, RD_KAFKA_OFFSET_END};
    int64_t found[2] = {0, 0};
    enum weir_status status = WEIR_OK;

    for (int i = 0; status == WEIR_OK && i < 2; i++) {
        rd_kafka_topic_partition_list_t *list =
            rd_kafka_topic_partition_list_new(1);

        rd_kafka_topic_partition_list_add(list, part->topic, part->number)
            ->offset = logical[i];
        status = look_up(kafka, list);
        found[i] = list->elems[0].offset;
        rd_kafka_topic_partition_list_destroy(list);
    }
    if (status != WEIR_OK)
        return status;
    *ret_low = found[0];
    *ret_high = found[1];
    return WEIR_OK;
}
