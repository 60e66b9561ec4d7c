/*
 * sink_rig.h - a Kafka sink alone, a broker, and what arrived there.
 *
 * The broker is librdkafka's mock cluster, which answers with errors on demand,
 * or a real one.
 */
#ifndef WEIR_TEST_SINK_RIG_H
#define WEIR_TEST_SINK_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "test_batch.h"
#include "test_settings.h"

enum { RIG_PRODUCE = 0, RIG_INIT_PID = 22, RIG_TEXTS = 5000 };

struct sink_rig {
    struct weir_settings *settings;
    void *self;
    char address[80], topic[80];
    bool is_open;
    bool was_held;         /* poll() said so */
    struct weir_error err; /* of the last call that failed */

    rd_kafka_t *host; /* NULL: a real broker */
    rd_kafka_mock_cluster_t *cluster;
    char texts[RIG_TEXTS][16];
};

/* Not open yet; `topic` has so many partitions. */
struct sink_rig *sink_rig_of_mock(int partitions);
struct sink_rig *sink_rig_of_broker(const char *address, int partitions);
void sink_rig_destroy(struct sink_rig *rig);

void sink_rig_open(struct sink_rig *rig);
/* Until it succeeds, within a minute, as the runtime does. */
void sink_rig_reopen(struct sink_rig *rig);
void sink_rig_close(struct sink_rig *rig);
void sink_rig_close_by(struct sink_rig *rig, int64_t deadline_us);

/* New: payloads "0000", "0001", ... from `first`, each with the key `key`. */
struct weir_batch *sink_rig_batch(struct sink_rig *rig, unsigned first,
                                  unsigned count, const char *key);

/* Once; OK or HOLD. */
void sink_rig_poll(struct sink_rig *rig);
/* Until it is taken. */
void sink_rig_write(struct sink_rig *rig, struct weir_batch *batch);
/* Until the batch is over; fails when poll() does. */
void sink_rig_serve(struct sink_rig *rig, struct weir_batch *batch);
/* Until poll() fails with WEIR_RETRY. */
void sink_rig_await_retry(struct sink_rig *rig);
/* write, serve, and every outcome is OK. */
void sink_rig_deliver(struct sink_rig *rig, struct weir_batch *batch);

/* As the runtime does: opens again when asked to, and writes again what has no
 * outcome; takes `batch`.  Returns how many were rejected. */
unsigned sink_rig_see_through(struct sink_rig *rig, struct weir_batch *batch);

/* Everything that is in a topic now, partition by partition. */
struct arrived {
    rd_kafka_message_t *messages[RIG_TEXTS];
    size_t count;
    rd_kafka_t *reader;
};

struct arrived *sink_rig_read(const struct sink_rig *rig, const char *topic);
void arrived_destroy(struct arrived *arrived);

/* The payloads of one partition, joined by blanks; into `out`. */
const char *arrived_texts(const struct arrived *arrived, int32_t partition,
                          char *out, size_t size);

#endif
