/*
 * kafka_questions.c - what will go wrong when these topics are read?
 *
 *     topics       are they there, with leaders; how large may messages be
 *     partitions   enough for instances, workers and the group's other members;
 *                  few enough for the memory
 *     reading      one fetch at the end of a partition of each topic
 *     group        may we see it, who is in it, what has it committed
 *
 * Nothing is joined and nothing committed: partitions are assigned by hand, and
 * the group is only described.  That we may join it isn't known by that, since
 * Describe is enough to see it; but whoever grants it grants Read, mostly.
 *
 * Threads: the one that asks.
 */
#include "kafka_questions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/share.h>

#include "clock.h"
#include "kafka_inquiry.h"
#include "kafka_probe.h"

enum {
    SLICE_MS = 100,
    COMMITS_MS = 1000,
    GROUP_MS = 5000,
    READ_S = 5,
    GAPS_MAX = 32,
    RECORD_OVERHEAD = 68, /* of a batch with one message */
    WHERE_SIZE = 300,
    MIB = 1024 * 1024
};

/* What was learnt on the way. */
struct sum {
    unsigned partitions;
    int64_t largest_bytes; /* a message of the largest size in each of them */
    bool is_refused;       /* the group may not be used */
};

static void compare_size(struct kafka_inquiry *inquiry, const char *topic,
                         int64_t message_bytes)
{
    const struct weir_share *share = weir_settings_share(inquiry->settings);
    const int64_t ours = (int64_t)share->max_message_bytes;
    char where[WHERE_SIZE];

    if (message_bytes - RECORD_OVERHEAD <= ours)
        return;
    (void)snprintf(where, sizeof where, "topic %s", topic);
    weir_findings_add(inquiry->findings, WEIR_SEVERITY_WARNING, where,
                      "raise `max_message_bytes`, or lower the topic's",
                      "it takes messages of up to %" PRId64
                      " bytes; those over `max_message_bytes` (%" PRId64
                      ") fail without reaching the handler",
                      message_bytes, ours);
}

static void ask_topics(struct kafka_inquiry *inquiry, struct sum *sum)
{
    const struct rd_kafka_metadata *metadata = inquiry->metadata;
    const struct weir_share *share = weir_settings_share(inquiry->settings);

    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        struct kafka_inquiry_limits limits;
        int64_t bytes = (int64_t)share->max_message_bytes;

        if (!kafka_probe_wants(inquiry->settings, topic->topic) ||
            !kafka_inquiry_topic(inquiry, topic))
            continue;
        limits = kafka_inquiry_limits(inquiry, topic->topic);
        compare_size(inquiry, topic->topic, limits.message_bytes);
        if (limits.message_bytes > 0)
            bytes = limits.message_bytes;
        sum->partitions += (unsigned)topic->partition_cnt;
        sum->largest_bytes += topic->partition_cnt * bytes;
    }
    if (sum->partitions == 0 && kafka_probe_has_regex(inquiry->settings))
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_WARNING, "topics",
                          "check the expression in `topics`",
                          "no topic that the user may see matches");
}

static void compare_partitions(struct kafka_inquiry *inquiry,
                               const struct sum *sum)
{
    const struct weir_share *share = weir_settings_share(inquiry->settings);

    if (sum->partitions < share->count)
        weir_findings_add(
            inquiry->findings, WEIR_SEVERITY_WARNING, "partitions",
            "lower the producer's concurrency, or add partitions",
            "%u of the producer's %u instances have none of the "
            "%u partitions",
            share->count - sum->partitions, share->count, sum->partitions);
    if (share->ordering == WEIR_ORDERING_PARTITION &&
        sum->partitions < share->workers)
        weir_findings_add(
            inquiry->findings, WEIR_SEVERITY_WARNING, "partitions",
            "lower processors.concurrency, add partitions, or set "
            "processors.ordering to key or none",
            "%u of %u workers are never busy: one handles a partition at a "
            "time, and there are %u",
            share->workers - sum->partitions, share->workers, sum->partitions);
}

static void compare_memory(struct kafka_inquiry *inquiry, const struct sum *sum)
{
    const struct weir_share *share = weir_settings_share(inquiry->settings);
    const int64_t memory = (int64_t)share->memory;
    const bool is_enough = sum->largest_bytes <= memory;

    weir_findings_add(
        inquiry->findings, is_enough ? WEIR_SEVERITY_OK : WEIR_SEVERITY_WARNING,
        "memory",
        is_enough ? NULL
                  : "raise `memory`, lower max.message.bytes of the topics, or "
                    "share the partitions among more members",
        "%u partitions may have %" PRId64 " MiB waiting, a message of the "
        "largest size in each; %" PRId64 " MiB are for that",
        sum->partitions, (sum->largest_bytes + MIB - 1) / MIB, memory / MIB);
}

/* The first partition of each topic that is there and has a leader. */
static rd_kafka_topic_partition_list_t *list_first(
    const struct kafka_inquiry *inquiry)
{
    const struct rd_kafka_metadata *metadata = inquiry->metadata;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(metadata->topic_cnt);

    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];

        if (topic->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
            topic->partition_cnt > 0 && topic->partitions[0].leader >= 0 &&
            kafka_probe_wants(inquiry->settings, topic->topic))
            rd_kafka_topic_partition_list_add(list, topic->topic,
                                              topic->partitions[0].id)
                ->offset = RD_KAFKA_OFFSET_END;
    }
    return list;
}

static void say_reading(struct kafka_inquiry *inquiry, const char *topic,
                        rd_kafka_resp_err_t code)
{
    char where[WHERE_SIZE];

    (void)snprintf(where, sizeof where, "topic %s", topic);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                          "it may be read");
    else if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                          "grant Read on it", "the user may not read it");
    else
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_UNKNOWN, where, NULL,
                          "whether it may be read: %s", rd_kafka_err2str(code));
}

/* Says what a message that is none, or is one, tells of its topic, and takes
 * the topic off the list. */
static void take_answer(struct kafka_inquiry *inquiry,
                        rd_kafka_topic_partition_list_t *open,
                        const rd_kafka_message_t *message)
{
    const char *topic = message->rkt ? rd_kafka_topic_name(message->rkt) : NULL;
    rd_kafka_resp_err_t code = message->err;
    int at = -1;

    for (int i = 0; topic && i < open->cnt; i++)
        at = strcmp(open->elems[i].topic, topic) == 0 ? i : at;
    if (at < 0)
        return;
    if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR &&
        code != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        return; /* the client tries again */
    say_reading(inquiry, topic, code);
    (void)rd_kafka_topic_partition_list_del_by_idx(open, at);
}

/* What is at their ends, if only that nothing is there. */
static void ask_to_read(struct kafka_inquiry *inquiry, struct sum *sum)
{
    const int64_t limit_us = clock_after_us(READ_S * CLOCK_SECOND_US);
    rd_kafka_topic_partition_list_t *open = list_first(inquiry);

    (void)rd_kafka_poll_set_consumer(inquiry->rk);
    if (open->cnt > 0)
        (void)rd_kafka_assign(inquiry->rk, open);
    while (open->cnt > 0 && clock_now_us() < limit_us &&
           clock_now_us() < inquiry->deadline_us) {
        rd_kafka_message_t *message =
            rd_kafka_consumer_poll(inquiry->rk, SLICE_MS);

        if (message) {
            sum->is_refused |=
                message->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
            take_answer(inquiry, open, message);
            rd_kafka_message_destroy(message);
        }
    }
    for (int i = 0; i < open->cnt; i++)
        say_reading(inquiry, open->elems[i].topic,
                    RD_KAFKA_RESP_ERR__TIMED_OUT);
    (void)rd_kafka_assign(inquiry->rk, NULL);
    rd_kafka_topic_partition_list_destroy(open);
}

static void compare_members(struct kafka_inquiry *inquiry, const char *where,
                            const struct rd_kafka_group_info *group,
                            const struct sum *sum)
{
    const struct weir_share *share = weir_settings_share(inquiry->settings);
    const unsigned members = (unsigned)group->member_cnt;
    const char *ours = weir_settings_string(inquiry->settings, "assignor");

    if (members > 0 && group->protocol && group->protocol[0] &&
        strcmp(group->protocol, ours) != 0)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                          "use the same `assignor` in all members",
                          "its members share partitions by %s, this topology "
                          "by %s: joining is refused",
                          group->protocol, ours);
    if (members > 0 && members + share->count > sum->partitions)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_WARNING, where,
                          "start fewer members, or add partitions",
                          "it has %u members, this topology adds %u, and "
                          "there are %u partitions: some will have none",
                          members, share->count, sum->partitions);
    else
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                          "%u members now", members);
}

/* By the calls for groups of librdkafka's first days: its newer ones for what
 * the coordinator knows abort the process when that connection is lost. */
static void ask_members(struct kafka_inquiry *inquiry, const char *where,
                        const struct sum *sum)
{
    const char *name = weir_settings_string(inquiry->settings, "group");
    const struct rd_kafka_group_info nobody = {.member_cnt = 0};
    const struct rd_kafka_group_list *list = NULL;
    const rd_kafka_resp_err_t code =
        rd_kafka_list_groups(inquiry->rk, name, &list,
                             clock_until_ms(inquiry->deadline_us, GROUP_MS));

    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_UNKNOWN, where, NULL,
                          "who is in it: %s", rd_kafka_err2str(code));
    else
        compare_members(inquiry, where,
                        list->group_cnt > 0 ? &list->groups[0] : &nobody, sum);
    if (list)
        rd_kafka_group_list_destroy(list);
}

static rd_kafka_topic_partition_list_t *list_all(
    const struct kafka_inquiry *inquiry)
{
    const struct rd_kafka_metadata *metadata = inquiry->metadata;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(16);

    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];

        if (topic->err == RD_KAFKA_RESP_ERR_NO_ERROR &&
            kafka_probe_wants(inquiry->settings, topic->topic))
            rd_kafka_topic_partition_list_add_range(list, topic->topic, 0,
                                                    topic->partition_cnt - 1);
    }
    return list;
}

/* How much of what comes next in a partition is gone. */
static int64_t gap_of(const struct kafka_inquiry *inquiry,
                      const rd_kafka_topic_partition_t *partition)
{
    int64_t low = 0, high = 0;

    if (rd_kafka_query_watermark_offsets(
            inquiry->rk, partition->topic, partition->partition, &low, &high,
            clock_until_ms(inquiry->deadline_us, 1000)) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    return partition->offset < low ? low - partition->offset : 0;
}

static void judge_commits(struct kafka_inquiry *inquiry, const char *where,
                          const rd_kafka_topic_partition_list_t *list)
{
    int64_t gap = 0;
    int committed = 0;

    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].offset < 0)
            continue;
        if (++committed <= GAPS_MAX)
            gap += gap_of(inquiry, &list->elems[i]);
    }
    if (gap > 0)
        weir_findings_add(
            inquiry->findings, WEIR_SEVERITY_WARNING, where, "see `on_gap`",
            "the next %" PRId64 " messages after its commits are "
            "no longer there: on_gap: %s",
            gap, weir_settings_string(inquiry->settings, "on_gap"));
    weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                      "%d of %d partitions have a commit; the others begin at "
                      "start: %s",
                      committed, list->cnt,
                      weir_settings_string(inquiry->settings, "start"));
}

/* What came out of the consumer's queue: no permission for the group? */
static bool is_refused(const struct kafka_inquiry *inquiry)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(inquiry->rk, 0);
    bool is_refused = false;

    while (message) {
        is_refused |=
            message->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
        rd_kafka_message_destroy(message);
        message = rd_kafka_consumer_poll(inquiry->rk, 0);
    }
    return is_refused;
}

/* In slices: where the group may not be used, the call itself only goes on
 * asking who coordinates it. */
static rd_kafka_resp_err_t fetch_commits(const struct kafka_inquiry *inquiry,
                                         rd_kafka_topic_partition_list_t *list)
{
    const int64_t limit_us = clock_after_us(GROUP_MS * INT64_C(1000));
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;

    while (code == RD_KAFKA_RESP_ERR__TIMED_OUT && clock_now_us() < limit_us &&
           clock_now_us() < inquiry->deadline_us) {
        code = rd_kafka_committed(inquiry->rk, list, COMMITS_MS);
        if (is_refused(inquiry))
            code = RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
    }
    return code;
}

/* False: the group may not be used. */
static bool ask_commits(struct kafka_inquiry *inquiry, const char *where,
                        const struct sum *sum)
{
    rd_kafka_topic_partition_list_t *list = list_all(inquiry);
    const rd_kafka_resp_err_t code =
        sum->is_refused ? RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED
                        : fetch_commits(inquiry, list);

    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        judge_commits(inquiry, where, list);
    else if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                          "grant Read on it, or check `group`",
                          "the user may not use it");
    else
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_UNKNOWN, where, NULL,
                          "what it has committed: %s", rd_kafka_err2str(code));
    rd_kafka_topic_partition_list_destroy(list);
    return code != RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
}

static void ask_all(struct kafka_inquiry *inquiry)
{
    struct sum sum = {.partitions = 0};
    char where[WHERE_SIZE];

    (void)snprintf(where, sizeof where, "group %s",
                   weir_settings_string(inquiry->settings, "group"));
    ask_topics(inquiry, &sum);
    if (sum.partitions == 0)
        return;
    compare_partitions(inquiry, &sum);
    compare_memory(inquiry, &sum);
    ask_to_read(inquiry, &sum);
    if (ask_commits(inquiry, where, &sum))
        ask_members(inquiry, where, &sum);
}

/* NULL ends; NULL itself: all topics are asked for, or there is no memory. */
static const char **list_names(const struct weir_settings *settings)
{
    const size_t count = weir_settings_count(settings, "topics");
    const char **names = NULL;

    if (!kafka_probe_has_regex(settings))
        names = calloc(count + 1, sizeof(char *));
    for (size_t i = 0; names && i < count; i++)
        names[i] = weir_settings_item(settings, "topics", i);
    return names;
}

void kafka_questions_ask(const struct weir_settings *settings,
                         int64_t deadline_us, struct weir_findings *findings)
{
    struct kafka_inquiry inquiry = {
        .settings = settings, .findings = findings, .deadline_us = deadline_us};
    const char **names = list_names(settings);

    if (kafka_inquiry_open(&inquiry, KAFKA_READS, names) == WEIR_OK)
        ask_all(&inquiry);
    kafka_inquiry_close(&inquiry);
    free(names);
}
