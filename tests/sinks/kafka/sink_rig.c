/*
 * sink_rig.c - a Kafka sink alone, a broker, and what arrived there.
 */
#include "sink_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "clock.h"
#include "kafka_sink.h"
#include "test.h"

enum { WAIT_MS = 20000 };

#define SOON_US  (CLOCK_SECOND_US / 20)
#define LIMIT_US (60 * CLOCK_SECOND_US)
#define MEMORY   ((size_t)16 << 20)

static struct sink_rig *rig_create(void)
{
    struct sink_rig *rig = calloc(1, sizeof *rig);

    assert_non_null(rig);
    rig->settings = test_settings_create(weir_kafka_sink.options);
    rig->self = calloc(1, weir_kafka_sink.self_size);
    assert_non_null(rig->self);
    test_settings_share(rig->settings)->memory = MEMORY;
    test_settings_share(rig->settings)->open_batches = 8; /* it lingers */
    return rig;
}

static void set_target(struct sink_rig *rig)
{
    test_settings_set(rig->settings, "brokers", rig->address);
    test_settings_set(rig->settings, "topic", rig->topic);
}

struct sink_rig *sink_rig_of_mock(int partitions)
{
    struct sink_rig *rig = rig_create();
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[200];

    rd_kafka_conf_set_log_cb(conf, NULL);
    rig->host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    assert_non_null(rig->host);
    rig->cluster = rd_kafka_mock_cluster_new(rig->host, 1);
    assert_non_null(rig->cluster);
    strcpy(rig->topic, "out");
    assert_int_equal(
        rd_kafka_mock_topic_create(rig->cluster, rig->topic, partitions, 1),
        RD_KAFKA_RESP_ERR_NO_ERROR);
    (void)snprintf(rig->address, sizeof rig->address, "%s",
                   rd_kafka_mock_cluster_bootstraps(rig->cluster));
    set_target(rig);
    return rig;
}

struct sink_rig *sink_rig_of_broker(const char *address, int partitions)
{
    struct sink_rig *rig = rig_create();

    (void)snprintf(rig->address, sizeof rig->address, "%s", address);
    broker_create_topic(address, partitions, rig->topic, sizeof rig->topic);
    set_target(rig);
    return rig;
}

void sink_rig_destroy(struct sink_rig *rig)
{
    if (!rig)
        return;
    sink_rig_close(rig);
    if (rig->cluster)
        rd_kafka_mock_cluster_destroy(rig->cluster);
    if (rig->host)
        rd_kafka_destroy(rig->host);
    test_settings_destroy(rig->settings);
    free(rig->self);
    free(rig);
}

void sink_rig_open(struct sink_rig *rig)
{
    rig->is_open = true;
    if (weir_kafka_sink.open(rig->self, rig->settings, &rig->err) != WEIR_OK)
        fail_msg("open: %s", rig->err.text);
}

void sink_rig_reopen(struct sink_rig *rig)
{
    const int64_t limit_us = clock_after_us(LIMIT_US);
    enum weir_status status;

    do {
        sink_rig_close(rig);
        rig->is_open = true;
        status = weir_kafka_sink.open(rig->self, rig->settings, &rig->err);
        assert_true(status == WEIR_OK || status == WEIR_RETRY);
        assert_true(clock_now_us() < limit_us);
    } while (status != WEIR_OK);
}

void sink_rig_close_by(struct sink_rig *rig, int64_t deadline_us)
{
    if (rig->is_open)
        weir_kafka_sink.close(rig->self, deadline_us);
    rig->is_open = false;
}

void sink_rig_close(struct sink_rig *rig)
{
    sink_rig_close_by(rig, clock_after_us(CLOCK_SECOND_US));
}

struct weir_batch *sink_rig_batch(struct sink_rig *rig, unsigned first,
                                  unsigned count, const char *key)
{
    struct test_message *messages = calloc(count, sizeof *messages);
    struct weir_batch *batch;

    assert_non_null(messages);
    assert_true(first + count <= RIG_TEXTS);
    for (unsigned i = 0; i < count; i++) {
        char *text = rig->texts[first + i];

        (void)snprintf(text, sizeof rig->texts[0], "%04u", first + i);
        messages[i] = (struct test_message){
            .topic = "in", .key = weir_str(key), .payload = weir_str(text)};
    }
    batch = test_batch_create(messages, count);
    free(messages);
    return batch;
}

void sink_rig_poll(struct sink_rig *rig)
{
    const enum weir_status status =
        weir_kafka_sink.poll(rig->self, clock_after_us(SOON_US), &rig->err);

    rig->was_held |= status == WEIR_HOLD;
    if (status != WEIR_OK && status != WEIR_HOLD)
        fail_msg("poll: %s", rig->err.text);
}

void sink_rig_write(struct sink_rig *rig, struct weir_batch *batch)
{
    const int64_t limit_us = clock_after_us(LIMIT_US);
    enum weir_status status =
        weir_kafka_sink.write(rig->self, batch, &rig->err);

    while (status == WEIR_AGAIN) {
        assert_true(clock_now_us() < limit_us);
        sink_rig_poll(rig);
        status = weir_kafka_sink.write(rig->self, batch, &rig->err);
    }
    if (status != WEIR_OK)
        fail_msg("write: %s", rig->err.text);
}

void sink_rig_serve(struct sink_rig *rig, struct weir_batch *batch)
{
    const int64_t limit_us = clock_after_us(LIMIT_US);

    while (test_batch_open_count(batch) > 0) {
        assert_true(clock_now_us() < limit_us);
        sink_rig_poll(rig);
    }
}

void sink_rig_await_retry(struct sink_rig *rig)
{
    const int64_t limit_us = clock_after_us(LIMIT_US);
    enum weir_status status;

    do {
        assert_true(clock_now_us() < limit_us);
        status =
            weir_kafka_sink.poll(rig->self, clock_after_us(SOON_US), &rig->err);
    } while (status == WEIR_OK || status == WEIR_HOLD);
    assert_int_equal(status, WEIR_RETRY);
}

void sink_rig_deliver(struct sink_rig *rig, struct weir_batch *batch)
{
    sink_rig_write(rig, batch);
    sink_rig_serve(rig, batch);
    for (size_t i = 0; i < weir_batch_count(batch); i++) {
        if (test_batch_outcome(batch, i) != WEIR_OK)
            fail_msg("%s", test_batch_reason(batch, i));
    }
}

static unsigned count_rejected(const struct weir_batch *batch)
{
    unsigned count = 0;

    for (size_t i = 0; i < weir_batch_count(batch); i++)
        count += test_batch_has_outcome(batch, i) &&
                 test_batch_outcome(batch, i) == WEIR_REJECT;
    return count;
}

unsigned sink_rig_see_through(struct sink_rig *rig, struct weir_batch *batch)
{
    const int64_t limit_us = clock_after_us(LIMIT_US);
    unsigned rejected = 0;

    sink_rig_write(rig, batch);
    while (test_batch_open_count(batch) > 0) {
        const enum weir_status status =
            weir_kafka_sink.poll(rig->self, clock_after_us(SOON_US), &rig->err);
        struct weir_batch *rest;

        assert_true(clock_now_us() < limit_us);
        if (status == WEIR_OK || status == WEIR_HOLD)
            continue;
        assert_int_equal(status, WEIR_RETRY);
        rest = test_batch_rest(batch);
        rejected += count_rejected(batch);
        test_batch_destroy(batch);
        batch = rest;
        sink_rig_reopen(rig);
        sink_rig_write(rig, batch);
    }
    rejected += count_rejected(batch);
    test_batch_destroy(batch);
    return rejected;
}

/* ---- what arrived ---- */

static rd_kafka_t *create_reader(const char *address)
{
    const char *const settings[][2] = {
        {"bootstrap.servers", address},    {"group.id", "reader"},
        {"enable.partition.eof", "true"},  {"enable.auto.commit", "false"},
        {"auto.offset.reset", "earliest"}, {"fetch.wait.max.ms", "10"}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk;
    char why[200];

    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        assert_int_equal(rd_kafka_conf_set(conf, settings[i][0], settings[i][1],
                                           why, sizeof why),
                         RD_KAFKA_CONF_OK);
    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    assert_non_null(rk);
    return rk;
}

static int count_partitions(rd_kafka_t *rk, const char *name)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    const struct rd_kafka_metadata *metadata;
    int count;

    assert_int_equal(rd_kafka_metadata(rk, 0, topic, &metadata, WAIT_MS),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return count;
}

static void assign(rd_kafka_t *rk, const char *topic, int partitions)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(partitions);

    for (int i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    assert_int_equal(rd_kafka_assign(rk, list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
}

struct arrived *sink_rig_read(const struct sink_rig *rig, const char *topic)
{
    const int64_t limit_us = clock_after_us(LIMIT_US);
    struct arrived *arrived = calloc(1, sizeof *arrived);
    int left;

    assert_non_null(arrived);
    arrived->reader = create_reader(rig->address);
    left = count_partitions(arrived->reader, topic);
    assign(arrived->reader, topic, left);
    while (left > 0) {
        rd_kafka_message_t *msg = rd_kafka_consumer_poll(arrived->reader, 100);

        assert_true(clock_now_us() < limit_us);
        if (msg && msg->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            assert_true(arrived->count < RIG_TEXTS);
            arrived->messages[arrived->count++] = msg;
        } else if (msg) {
            left -= msg->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
            rd_kafka_message_destroy(msg);
        }
    }
    return arrived;
}

void arrived_destroy(struct arrived *arrived)
{
    for (size_t i = 0; i < arrived->count; i++)
        rd_kafka_message_destroy(arrived->messages[i]);
    (void)rd_kafka_consumer_close(arrived->reader);
    rd_kafka_destroy(arrived->reader);
    free(arrived);
}

const char *arrived_texts(const struct arrived *arrived, int32_t partition,
                          char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < arrived->count; i++) {
        const rd_kafka_message_t *msg = arrived->messages[i];

        if (msg->partition != partition)
            continue;
        used += (size_t)snprintf(out + used, size - used, "%s%.*s",
                                 used > 0 ? " " : "", (int)msg->len,
                                 (const char *)msg->payload);
        assert_true(used < size);
    }
    return out;
}
