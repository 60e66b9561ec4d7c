/*
 * embedded_kafka.c - a Kafka broker inside the process, and one that feeds it.
 *
 *     feeder (a producer) --TCP--> mock cluster <--TCP-- whoever consumes
 *       ^ delivery reports: what the broker has
 *
 * The mock cluster lives in a client handle of its own, because it shares that
 * handle's threads and ends with it.  Everything goes over loopback sockets, so
 * what consumes it can't tell it from a real broker, and a break is a break.
 *
 * Records linger for 50 ms, since the mock answers a fetch with one batch per
 * partition: single records would limit it to a few thousand a second.
 *
 * Threads: one caller at a time; librdkafka's own only touch what is theirs.
 */
#include "embedded_kafka.h"

#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

struct embedded_kafka {
    rd_kafka_t *host, *feeder;
    rd_kafka_mock_cluster_t *cluster;
    char *topic;
    uint64_t waiting;

    /* During embedded_kafka_poll(). */
    embedded_kafka_confirmed_fn confirmed;
    void *confirmed_opaque;
};

enum { BROKER = 1, PURGE_MS = 1000 };

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message,
                      void *opaque)
{
    struct embedded_kafka *kafka = opaque;

    (void)rk;
    kafka->waiting--;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && kafka->confirmed)
        kafka->confirmed(kafka->confirmed_opaque,
                         (uint64_t)(uintptr_t)message->_private);
}

/* A producer handle, without its log lines.  NULL: `why` says it. */
static rd_kafka_t *handle_create(const char *const (*properties)[2],
                                 struct embedded_kafka *kafka, char *why,
                                 size_t size)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk = NULL;

    for (; (*properties)[0]; properties++)
        if (rd_kafka_conf_set(conf, (*properties)[0], (*properties)[1], why,
                              size) != RD_KAFKA_CONF_OK)
            goto out;
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_conf_set_opaque(conf, kafka);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, size);
    if (rk)
        conf = NULL; /* the handle owns it now */

out:
    if (conf)
        rd_kafka_conf_destroy(conf);
    return rk;
}

static enum weir_status start(struct embedded_kafka *kafka,
                              const struct embedded_kafka_topic *topic,
                              struct weir_error *err)
{
    static const char *const quiet[][2] = {{"log_level", "0"}, {NULL, NULL}};
    char why[160] = "no memory";

    kafka->topic = strdup(topic->name);
    kafka->host = handle_create(quiet, kafka, why, sizeof why);
    if (!kafka->host || !kafka->topic)
        return weir_fail(err, WEIR_FATAL, "embedded kafka: %s", why);
    kafka->cluster = rd_kafka_mock_cluster_new(kafka->host, 1);
    if (!kafka->cluster)
        return weir_fail(err, WEIR_FATAL, "embedded kafka: no broker");
    if (rd_kafka_mock_topic_create(kafka->cluster, topic->name,
                                   topic->partitions,
                                   1) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return weir_fail(err, WEIR_FATAL, "embedded kafka: no topic");

    const char *const feeding[][2] = {
        {"log_level", "0"},
        {"bootstrap.servers", embedded_kafka_brokers(kafka)},
        {"linger.ms", "50"},
        {"reconnect.backoff.max.ms", "500"},
        {NULL, NULL},
    };
    kafka->feeder = handle_create(feeding, kafka, why, sizeof why);
    if (!kafka->feeder)
        return weir_fail(err, WEIR_FATAL, "embedded kafka: %s", why);
    return WEIR_OK;
}

enum weir_status embedded_kafka_start(const struct embedded_kafka_topic *topic,
                                      struct embedded_kafka **ret_kafka,
                                      struct weir_error *err)
{
    struct embedded_kafka *kafka = calloc(1, sizeof *kafka);
    enum weir_status status;

    if (!kafka)
        return weir_fail(err, WEIR_RETRY, "no memory");
    status = start(kafka, topic, err);
    if (status != WEIR_OK) {
        embedded_kafka_stop(kafka);
        return status;
    }
    *ret_kafka = kafka;
    return WEIR_OK;
}

void embedded_kafka_stop(struct embedded_kafka *kafka)
{
    if (!kafka)
        return;
    if (kafka->feeder) {
        (void)rd_kafka_purge(kafka->feeder, RD_KAFKA_PURGE_F_QUEUE |
                                                RD_KAFKA_PURGE_F_INFLIGHT);
        (void)rd_kafka_flush(kafka->feeder, PURGE_MS);
        rd_kafka_destroy(kafka->feeder);
    }
    if (kafka->cluster)
        rd_kafka_mock_cluster_destroy(kafka->cluster);
    if (kafka->host)
        rd_kafka_destroy(kafka->host);
    free(kafka->topic);
    free(kafka);
}

const char *embedded_kafka_brokers(const struct embedded_kafka *kafka)
{
    return rd_kafka_mock_cluster_bootstraps(kafka->cluster);
}

/* `place` holds a number or a pointer to const; librdkafka's types have
 * neither, although it only copies what it gets. */
static void *as_pointer(const void *place)
{
    void *pointer;

    memcpy(&pointer, place, sizeof pointer);
    return pointer;
}

enum weir_status embedded_kafka_send(struct embedded_kafka *kafka, uint64_t id,
                                     struct weir_bytes key,
                                     struct weir_bytes payload)
{
    const uintptr_t number = (uintptr_t)id;
    void *const opaque = as_pointer(&number);
    const rd_kafka_vu_t what[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = kafka->topic},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {.ptr = as_pointer(&key.data), .size = key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {.ptr = as_pointer(&payload.data), .size = payload.size}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque},
    };
    rd_kafka_error_t *refused =
        rd_kafka_produceva(kafka->feeder, what, sizeof what / sizeof what[0]);

    if (refused) {
        rd_kafka_error_destroy(refused);
        return WEIR_AGAIN;
    }
    kafka->waiting++;
    return WEIR_OK;
}

void embedded_kafka_poll(struct embedded_kafka *kafka, int timeout_ms,
                         embedded_kafka_confirmed_fn confirmed, void *opaque)
{
    kafka->confirmed = confirmed;
    kafka->confirmed_opaque = opaque;
    (void)rd_kafka_poll(kafka->feeder, timeout_ms);
    kafka->confirmed = NULL;
}

uint64_t embedded_kafka_waiting(const struct embedded_kafka *kafka)
{
    return kafka->waiting;
}

void embedded_kafka_go_down(struct embedded_kafka *kafka)
{
    (void)rd_kafka_mock_broker_set_down(kafka->cluster, BROKER);
}

void embedded_kafka_come_back(struct embedded_kafka *kafka)
{
    (void)rd_kafka_mock_broker_set_up(kafka->cluster, BROKER);
}
