/*
 * kafka_inquiry.c - what is asked of a cluster before anything runs.
 *
 * A client that only looks: it joins no group and commits nothing, and it is a
 * consumer also where a sink asks, since the metadata request of a producer
 * makes the topics that it names, where the brokers allow it.
 *
 *     connect --> metadata --> certificates, topics --> limits of each topic
 *        |
 *        +--> one error, in the words of kafka_errors.c
 *
 * Threads: the one that asks.
 */
#include "kafka_inquiry.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "kafka_conf.h"
#include "kafka_contact.h"
#include "kafka_end.h"
#include "tls_certificate.h"

enum { END_MS = 500, CERTIFICATES_MAX = 16, WHERE_SIZE = 300 };

static enum weir_status create_client(struct kafka_inquiry *inquiry,
                                      enum kafka_role role,
                                      struct weir_error *err)
{
    const struct kafka_value defaults[] = {{"client.id", "weir-check"},
                                           {"reconnect.backoff.max.ms", "1000"},
                                           {"fetch.wait.max.ms", "10"},
                                           {NULL, NULL}};
    const struct kafka_value fixed[] = {
        {"log.queue", "true"},
        {"allow.auto.create.topics", "false"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"enable.partition.eof", "true"},
        {role == KAFKA_READS ? "group.id" : NULL,
         weir_settings_string(inquiry->settings, "group")},
        {NULL, NULL}};
    rd_kafka_conf_t *conf = NULL;
    char why[200];
    const enum weir_status status =
        kafka_conf_build(inquiry->settings, role, defaults, fixed, &conf, err);

    if (status != WEIR_OK)
        return status;
    kafka_trouble_listen(&inquiry->trouble, conf);
    inquiry->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!inquiry->rk) {
        rd_kafka_conf_destroy(conf);
        return weir_fail(err, WEIR_RETRY, "cannot start: %s", why);
    }
    (void)rd_kafka_set_log_queue(inquiry->rk, NULL);
    return WEIR_OK;
}

/* Those that the client knows are those that it asks for. */
static enum weir_status name_topics(struct kafka_inquiry *inquiry,
                                    const char *const *names,
                                    struct weir_error *err)
{
    size_t count = 0;

    while (names && names[count])
        count++;
    inquiry->topics = calloc(count + 1, sizeof(rd_kafka_topic_t *));
    if (!inquiry->topics)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    for (size_t i = 0; i < count; i++) {
        inquiry->topics[i] = rd_kafka_topic_new(inquiry->rk, names[i], NULL);
        if (!inquiry->topics[i])
            return weir_fail(err, WEIR_RETRY, "topic '%s' can't be asked for",
                             names[i]);
    }
    return WEIR_OK;
}

static void probe_certificates(struct kafka_inquiry *inquiry)
{
    const struct rd_kafka_metadata *metadata = inquiry->metadata;
    const char *cert = weir_settings_string(inquiry->settings, "tls.cert");

    if (!inquiry->trouble.access.has_tls)
        return;
    for (int i = 0; i < metadata->broker_cnt && i < CERTIFICATES_MAX; i++)
        tls_certificate_probe_server(metadata->brokers[i].host,
                                     metadata->brokers[i].port,
                                     inquiry->deadline_us, inquiry->findings);
    if (cert)
        tls_certificate_probe_file("tls.cert", cert, inquiry->findings);
}

static void say_contact(struct kafka_inquiry *inquiry)
{
    const struct kafka_access *access = &inquiry->trouble.access;
    const int count = inquiry->metadata->broker_cnt;
    char where[WHERE_SIZE];

    (void)snprintf(where, sizeof where, "brokers %s", access->brokers);
    weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                      "%d broker%s, with %s%s%s", count, count == 1 ? "" : "s",
                      access->has_tls ? "TLS" : "no TLS",
                      access->mechanism ? " as " : "",
                      access->mechanism && access->username ? access->username
                      : access->mechanism                   ? access->mechanism
                                                            : "");
}

enum weir_status kafka_inquiry_open(struct kafka_inquiry *inquiry,
                                    enum kafka_role role,
                                    const char *const *topics)
{
    struct weir_error err = {.text = ""};
    enum weir_status status;

    kafka_access_read(inquiry->settings, role, &inquiry->trouble.access);
    status = create_client(inquiry, role, &err);
    if (status == WEIR_OK)
        status = name_topics(inquiry, topics, &err);
    if (status == WEIR_OK) {
        const int64_t left_us = inquiry->deadline_us - clock_now_us();
        const struct kafka_contact contact = {.rk = inquiry->rk,
                                              .trouble = &inquiry->trouble,
                                              .wants_all = !topics,
                                              .patience_us =
                                                  left_us > 0 ? left_us : 1};

        status = kafka_contact_await(&contact, &inquiry->metadata, &err);
    }
    if (status != WEIR_OK) {
        char where[WHERE_SIZE];

        (void)snprintf(where, sizeof where, "brokers %s",
                       inquiry->trouble.access.brokers);
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where, NULL,
                          "%s", err.text);
        return WEIR_RETRY;
    }
    inquiry->trouble.is_silent = true; /* findings say it */
    say_contact(inquiry);
    probe_certificates(inquiry);
    return WEIR_OK;
}

void kafka_inquiry_close(struct kafka_inquiry *inquiry)
{
    if (inquiry->metadata)
        rd_kafka_metadata_destroy(inquiry->metadata);
    for (size_t i = 0; inquiry->topics && inquiry->topics[i]; i++)
        rd_kafka_topic_destroy(inquiry->topics[i]);
    free(inquiry->topics);
    if (inquiry->rk)
        (void)kafka_end(inquiry->rk, clock_after_us(END_MS * INT64_C(1000)));
}

static void find_missing(struct kafka_inquiry *inquiry, const char *where)
{
    const bool reads = inquiry->trouble.access.role == KAFKA_READS;

    weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                      reads ? "create it, or check `topics`"
                            : "create it, or check `topic`",
                      "it is not there");
}

static void find_refused(struct kafka_inquiry *inquiry, const char *where,
                         rd_kafka_resp_err_t code)
{
    const bool reads = inquiry->trouble.access.role == KAFKA_READS;

    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                          reads ? "grant Read and Describe on it"
                                : "grant Write and Describe on it",
                          "the user may not look at it");
    else
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where, NULL,
                          "%s", rd_kafka_err2str(code));
}

static int count_leaderless(const struct rd_kafka_metadata_topic *topic)
{
    int count = 0;

    for (int i = 0; i < topic->partition_cnt; i++)
        count += topic->partitions[i].leader < 0;
    return count;
}

bool kafka_inquiry_topic(struct kafka_inquiry *inquiry,
                         const struct rd_kafka_metadata_topic *topic)
{
    const int leaderless = count_leaderless(topic);
    char where[WHERE_SIZE];

    (void)snprintf(where, sizeof where, "topic %s", topic->topic);
    if (kafka_errors_verdict(topic->err) == KAFKA_NO_TOPIC)
        find_missing(inquiry, where);
    else if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        find_refused(inquiry, where, topic->err);
    if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    if (leaderless > 0)
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_ERROR, where,
                          "look after the brokers that have them",
                          "%d of its %d partitions have no leader", leaderless,
                          topic->partition_cnt);
    else
        weir_findings_add(inquiry->findings, WEIR_SEVERITY_OK, where, NULL,
                          "%d partition%s", topic->partition_cnt,
                          topic->partition_cnt == 1 ? "" : "s");
    return true;
}

static rd_kafka_AdminOptions_t *make_options(
    const struct kafka_inquiry *inquiry)
{
    const int left_ms = clock_until_ms(inquiry->deadline_us, 60000);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(
        inquiry->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    char why[100];

    (void)rd_kafka_AdminOptions_set_request_timeout(
        options, left_ms > 1 ? left_ms : 1, why, sizeof why);
    return options;
}

static struct kafka_inquiry_limits read_limits(
    const rd_kafka_ConfigResource_t *resource)
{
    struct kafka_inquiry_limits limits = {.message_bytes = 0};
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries =
        rd_kafka_ConfigResource_configs(resource, &count);

    for (size_t i = 0; i < count; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entries[i]);
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);

        if (value && strcmp(name, "max.message.bytes") == 0)
            limits.message_bytes = strtoll(value, NULL, 10);
        if (value && strcmp(name, "min.insync.replicas") == 0)
            limits.in_sync = strtoll(value, NULL, 10);
    }
    return limits;
}

/* What the event says, or why it says nothing. */
static struct kafka_inquiry_limits judge_limits(struct kafka_inquiry *inquiry,
                                                rd_kafka_event_t *event,
                                                const char *where)
{
    const rd_kafka_DescribeConfigs_result_t *result =
        event ? rd_kafka_event_DescribeConfigs_result(event) : NULL;
    const rd_kafka_ConfigResource_t **resources = NULL;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    size_t count = 0;

    if (event)
        code = rd_kafka_event_error(event);
    if (result)
        resources = rd_kafka_DescribeConfigs_result_resources(result, &count);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && count > 0)
        code = rd_kafka_ConfigResource_error(resources[0]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && count > 0)
        return read_limits(resources[0]);
    weir_findings_add(inquiry->findings, WEIR_SEVERITY_UNKNOWN, where,
                      "grant DescribeConfigs on it to have that compared",
                      "how large its messages may be: %s",
                      rd_kafka_err2str(code));
    return (struct kafka_inquiry_limits){.message_bytes = 0};
}

struct kafka_inquiry_limits kafka_inquiry_limits(struct kafka_inquiry *inquiry,
                                                 const char *topic)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(inquiry->rk);
    rd_kafka_AdminOptions_t *options = make_options(inquiry);
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    struct kafka_inquiry_limits limits;
    rd_kafka_event_t *event;
    char where[WHERE_SIZE];

    (void)snprintf(where, sizeof where, "topic %s", topic);
    rd_kafka_DescribeConfigs(inquiry->rk, &resource, 1, options, queue);
    event = rd_kafka_queue_poll(queue,
                                clock_until_ms(inquiry->deadline_us, INT_MAX));
    limits = judge_limits(inquiry, event, where);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return limits;
}
