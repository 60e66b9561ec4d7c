/*
 * broker.c - what a test does to a real Kafka, as a client of its own.
 *
 * Every call makes a client, waits for the answer, and aborts the test when it
 * is no.
 */
#include "broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

#include "invariant.h"

enum { WAIT_MS = 20000, WHY_SIZE = 300, SKIPPED = 77 };

const char *broker_address(void)
{
    const char *address = getenv("WEIR_KAFKA");
    const char *required = getenv("WEIR_REQUIRE_BROKERS");

    if (address && address[0])
        return address;
    (void)fprintf(stderr, "SKIPPED: WEIR_KAFKA is not set, so nothing was "
                          "tested against a real Kafka\n");
    exit(required && strcmp(required, "1") == 0 ? 1 : SKIPPED);
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *address,
                          const char *const *settings)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[WHY_SIZE];
    rd_kafka_t *rk;

    INVARIANT(rd_kafka_conf_set(conf, "bootstrap.servers", address, why,
                                sizeof why) == RD_KAFKA_CONF_OK);
    for (; settings && settings[0]; settings += 2)
        INVARIANT(rd_kafka_conf_set(conf, settings[0], settings[1], why,
                                    sizeof why) == RD_KAFKA_CONF_OK);
    rk = rd_kafka_new(type, conf, why, sizeof why);
    INVARIANT(rk);
    return rk;
}

void broker_unique_name(const char *prefix, char *out, size_t size)
{
    static unsigned serial;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    (void)snprintf(out, size, "%s-%d-%lld-%u", prefix, (int)getpid(),
                   (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000,
                   serial++);
}

/* The answer to what was asked; the queue was only for it. */
static void expect_yes(rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);

    INVARIANT(event && rd_kafka_event_error(event) == 0);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
}

/* The broker answers before it tells others; bounded by the tries, each of
 * which is a round trip. */
static void await_partitions(rd_kafka_t *rk, const char *name, int total)
{
    enum { TRIES = 10000 };
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    int count = 0;

    for (int i = 0; i < TRIES && count < total; i++) {
        const struct rd_kafka_metadata *metadata = NULL;

        if (rd_kafka_metadata(rk, 0, topic, &metadata, WAIT_MS) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
            continue;
        count = metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
    INVARIANT(count >= total);
}

/* `setting`: a name and a value, or NULL. */
static void create_topic(const char *address, int partitions, const char *name,
                         const char *const *setting)
{
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, address, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewTopic_t *topic;
    char why[WHY_SIZE];

    topic = rd_kafka_NewTopic_new(name, partitions, 1, why, sizeof why);
    if (setting)
        INVARIANT(rd_kafka_NewTopic_set_config(topic, setting[0], setting[1]) ==
                  RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    expect_yes(queue);
    rd_kafka_NewTopic_destroy(topic);
    await_partitions(rk, name, partitions);
    rd_kafka_destroy(rk);
}

void broker_create_topic_named(const char *address, int partitions,
                               const char *name)
{
    create_topic(address, partitions, name, NULL);
}

void broker_create_topic_set(const char *address, int partitions,
                             const char *name, const char *value, char *out,
                             size_t size)
{
    const char *const setting[] = {name, value};

    broker_unique_name("weir", out, size);
    create_topic(address, partitions, out, setting);
}

void broker_create_topic(const char *address, int partitions, char *out,
                         size_t size)
{
    broker_unique_name("weir", out, size);
    broker_create_topic_named(address, partitions, out);
}

void broker_add_partitions(const char *address, const char *topic, int total)
{
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, address, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewPartitions_t *request;
    char why[WHY_SIZE];

    request = rd_kafka_NewPartitions_new(topic, (size_t)total, why, sizeof why);
    rd_kafka_CreatePartitions(rk, &request, 1, NULL, queue);
    expect_yes(queue);
    rd_kafka_NewPartitions_destroy(request);
    await_partitions(rk, topic, total);
    rd_kafka_destroy(rk);
}

void broker_wait_until_ms(int64_t time_ms)
{
    const struct timespec until = {.tv_sec = time_ms / 1000,
                                   .tv_nsec = time_ms % 1000 * 1000000};

    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) != 0)
        continue;
}

static void flush_and_destroy(rd_kafka_t *rk)
{
    INVARIANT(rd_kafka_flush(rk, WAIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(rk);
}

static void produce(rd_kafka_t *rk, const char *topic, int32_t partition,
                    void *payload, size_t size)
{
    char key[] = "k";
    const rd_kafka_vu_t what[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {.ptr = payload, .size = size}},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {.ptr = key, .size = 1}},
        {.vtype = RD_KAFKA_VTYPE_HEADER,
         .u.header = {.name = "h", .val = "v", .size = 1}},
    };

    INVARIANT(!rd_kafka_produceva(rk, what, sizeof what / sizeof what[0]));
}

static const char *const quick[] = {"linger.ms", "0", "message.max.bytes",
                                    "4000000", NULL};

void broker_produce(const char *address, const char *topic, int32_t partition,
                    const char *prefix, unsigned first, unsigned count)
{
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, address, quick);
    char text[64];

    for (unsigned i = first; i < first + count; i++) {
        const int size = snprintf(text, sizeof text, "%s %u", prefix, i);

        produce(rk, topic, partition, text, (size_t)size);
    }
    flush_and_destroy(rk);
}

void broker_produce_sized(const char *address, const char *topic,
                          int32_t partition, size_t size)
{
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, address, quick);
    char *payload = size > 0 ? calloc(1, size) : NULL;

    produce(rk, topic, partition, payload, size);
    flush_and_destroy(rk);
    free(payload);
}

void broker_produce_transaction(const char *address, const char *topic,
                                int32_t partition, unsigned count,
                                bool is_committed)
{
    char id[64];
    const char *const settings[] = {"transactional.id", id, NULL};
    rd_kafka_t *rk;
    rd_kafka_error_t *error;

    broker_unique_name("transaction", id, sizeof id);
    rk = client(RD_KAFKA_PRODUCER, address, settings);
    error = rd_kafka_init_transactions(rk, WAIT_MS);
    INVARIANT(!error);
    error = rd_kafka_begin_transaction(rk);
    INVARIANT(!error);
    for (unsigned i = 0; i < count; i++) {
        char text[] = "in a transaction";

        produce(rk, topic, partition, text, sizeof text - 1);
    }
    INVARIANT(rd_kafka_flush(rk, WAIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
    error = is_committed ? rd_kafka_commit_transaction(rk, WAIT_MS)
                         : rd_kafka_abort_transaction(rk, WAIT_MS);
    INVARIANT(!error);
    rd_kafka_destroy(rk);
}

static rd_kafka_t *group_client(const char *address, const char *group)
{
    const char *const settings[] = {"group.id", group, "enable.auto.commit",
                                    "false", NULL};

    return client(RD_KAFKA_CONSUMER, address, settings);
}

int64_t broker_committed(const char *address, const char *group,
                         const char *topic, int32_t partition)
{
    rd_kafka_t *rk = group_client(address, group);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);
    int64_t offset;

    rd_kafka_topic_partition_list_add(list, topic, partition);
    INVARIANT(rd_kafka_committed(rk, list, WAIT_MS) ==
              RD_KAFKA_RESP_ERR_NO_ERROR);
    offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return offset;
}

void broker_commit(const char *address, const char *group, const char *topic,
                   int32_t partition, int64_t offset)
{
    rd_kafka_t *rk = group_client(address, group);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    INVARIANT(rd_kafka_commit(rk, list, 0) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}

void broker_delete_records(const char *address, const char *topic,
                           int32_t partition, int64_t offset)
{
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, address, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);
    rd_kafka_DeleteRecords_t *request;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    request = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
    expect_yes(queue);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}
