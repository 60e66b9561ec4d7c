/*
 * kafka_probe.c - the first contact: are brokers and topics there?
 *
 * How far ahead a client may fetch depends on how many partitions share the
 * memory, and a client can't be told after it was made.  So a small client asks
 * first.  It also turns a missing topic into an answer at once.
 *
 *     connect --> metadata --> topics there? --> counts --> samples
 *        |            |              |
 *        +------------+--------------+--> WEIR_RETRY, in one clear line
 *
 * Threads: the producer's, inside open().
 */
#include "kafka_probe.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "kafka_conf.h"
#include "kafka_contact.h"
#include "kafka_end.h"
#include "kafka_member.h"
#include "kafka_sample.h"

enum { END_MS = 500, SAMPLES = 4 };

static bool is_regex(const char *topic)
{
    return topic[0] == '^';
}

bool kafka_probe_has_regex(const struct weir_settings *settings)
{
    for (size_t i = 0; i < weir_settings_count(settings, "topics"); i++)
        if (is_regex(weir_settings_item(settings, "topics", i)))
            return true;
    return false;
}

static enum weir_status start(struct kafka_producer *kafka,
                              rd_kafka_t **ret_client, struct weir_error *err)
{
    static const struct kafka_value defaults[] = {
        {"reconnect.backoff.max.ms", "3000"},
        {"fetch.wait.max.ms", "10"},
        {NULL, NULL}};
    static const struct kafka_value fixed[] = {
        {"log.queue", "true"},
        {"queued.min.messages", "1"},
        {"fetch.message.max.bytes", KAFKA_SAMPLE_BYTES},
        {"message.max.bytes", KAFKA_SAMPLE_BYTES},
        {"fetch.max.bytes", KAFKA_SAMPLE_BYTES},
        {NULL, NULL}};
    rd_kafka_conf_t *conf = NULL;
    char why[200];
    enum weir_status status = kafka_conf_build(kafka->settings, KAFKA_READS,
                                               defaults, fixed, &conf, err);

    if (status != WEIR_OK)
        return status;
    kafka_trouble_listen(&kafka->trouble, conf);
    *ret_client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!*ret_client) {
        rd_kafka_conf_destroy(conf);
        return weir_fail(err, WEIR_FATAL, "cannot start: %s", why);
    }
    (void)rd_kafka_set_log_queue(*ret_client, NULL);
    return WEIR_OK;
}

static bool is_wanted(const char *topic, const char *name)
{
    regex_t regex;
    bool matches;

    if (!is_regex(topic))
        return strcmp(topic, name) == 0;
    if (regcomp(&regex, topic, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    matches = regexec(&regex, name, 0, NULL, 0) == 0;
    regfree(&regex);
    return matches;
}

bool kafka_probe_wants(const struct weir_settings *settings, const char *name)
{
    for (size_t i = 0; i < weir_settings_count(settings, "topics"); i++)
        if (is_wanted(weir_settings_item(settings, "topics", i), name))
            return true;
    return false;
}

/* Where others are read meanwhile, the group says it: serve_group(). */
static void note_missing(struct kafka_producer *kafka,
                         const struct rd_kafka_metadata_topic *topic,
                         struct weir_error *err)
{
    char reason[200], text[400];

    (void)snprintf(reason, sizeof reason, "topic '%.150s'", topic->topic);
    kafka_errors_explain(topic->err, reason, &kafka->trouble.access, text,
                         sizeof text);
    (void)weir_fail(err, WEIR_RETRY, "%s", text);
}

static enum weir_status judge(struct kafka_producer *kafka,
                              const struct rd_kafka_metadata *metadata,
                              struct kafka_probe *ret_probe,
                              struct weir_error *err)
{
    unsigned partitions = 0;

    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];

        if (!kafka_probe_wants(kafka->settings, topic->topic))
            continue;
        if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR)
            note_missing(kafka, topic, err);
        partitions += (unsigned)topic->partition_cnt;
    }
    if (partitions == 0 && !kafka_probe_has_regex(kafka->settings))
        return WEIR_RETRY; /* note_missing() said which */
    ret_probe->partitions = partitions > 0 ? partitions : 1;
    ret_probe->brokers =
        metadata->broker_cnt > 0 ? (unsigned)metadata->broker_cnt : 1;
    return WEIR_OK;
}

/* A few partitions of each topic that is there, spread over all of them. */
static struct kafka_sample take_samples(
    const struct kafka_producer *kafka, rd_kafka_t *rk,
    const struct rd_kafka_metadata *metadata)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(SAMPLES);
    struct kafka_sample sample;

    for (int i = 0; i < metadata->topic_cnt && list->cnt < 4 * SAMPLES; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        const int step = topic->partition_cnt / SAMPLES + 1;

        if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR ||
            !kafka_probe_wants(kafka->settings, topic->topic))
            continue;
        for (int p = 0; p < topic->partition_cnt; p += step)
            (void)rd_kafka_topic_partition_list_add(list, topic->topic, p);
    }
    sample = kafka_sample_take(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return sample;
}

static enum weir_status ask(struct kafka_producer *kafka, rd_kafka_t *rk,
                            struct kafka_probe *ret_probe,
                            struct weir_error *err)
{
    const struct kafka_contact contact = {
        .rk = rk,
        .trouble = &kafka->trouble,
        .waker = &kafka->waker,
        .wants_all = kafka_probe_has_regex(kafka->settings)};
    const struct rd_kafka_metadata *metadata = NULL;
    enum weir_status status = kafka_contact_await(&contact, &metadata, err);

    if (status != WEIR_OK)
        return status;
    status = judge(kafka, metadata, ret_probe, err);
    if (status == WEIR_OK)
        ret_probe->sample = take_samples(kafka, rk, metadata);
    rd_kafka_metadata_destroy(metadata);
    return status;
}

/* Topics that the client knows of are those that it asks for. */
static rd_kafka_topic_t **make_topics(struct kafka_producer *kafka,
                                      rd_kafka_t *rk)
{
    const size_t count = weir_settings_count(kafka->settings, "topics");
    rd_kafka_topic_t **topics = calloc(count + 1, sizeof(rd_kafka_topic_t *));
    size_t used = 0;

    for (size_t i = 0; topics && i < count; i++) {
        const char *name = weir_settings_item(kafka->settings, "topics", i);

        if (!is_regex(name))
            topics[used] = rd_kafka_topic_new(rk, name, NULL);
        used += topics[used] != NULL;
    }
    return topics;
}

enum weir_status kafka_probe_run(struct kafka_producer *kafka,
                                 struct kafka_probe *ret_probe,
                                 struct weir_error *err)
{
    rd_kafka_topic_t **topics = NULL;
    rd_kafka_t *rk = NULL;
    enum weir_status status = start(kafka, &rk, err);

    if (status != WEIR_OK)
        return status;
    topics = make_topics(kafka, rk);
    status = ask(kafka, rk, ret_probe, err);
    for (size_t i = 0; topics && topics[i]; i++)
        rd_kafka_topic_destroy(topics[i]);
    free(topics);
    (void)kafka_end(rk, clock_after_us(END_MS * INT64_C(1000)));
    return status;
}
