/*
 * connectors.c - every connector of this build; the only file that names them.
 *
 * A connector that CMake switched off is left out of the tables, and nothing
 * else in the project knows.
 *
 * Threads: any; nothing here changes.
 */
#include "connectors.h"

#include <stddef.h>

#include "discard_sink.h"
#include "file_sink.h"
#include "generator.h"
#include "passthrough.h"
#include "stdin_producer.h"
#include "stdout_sink.h"

/* The rows of what may be switched off; each brings its own comma. */
/* clang-format off */
#if WEIR_WITH_KAFKA
#include "kafka_producer.h"
#include "kafka_sink.h"
#include "kafka_version.h"
#define KAFKA_PRODUCER &weir_kafka_producer,
#define KAFKA_SINK     &weir_kafka_sink,
#define KAFKA_LIBRARY  {"librdkafka", kafka_client_version},
#else
#define KAFKA_PRODUCER
#define KAFKA_SINK
#define KAFKA_LIBRARY
#endif
#if WEIR_WITH_AMQP
#include "amqp_producer.h"
#include "amqp_sink.h"
#include "amqp_version.h"
#define AMQP_PRODUCER &weir_amqp_producer,
#define AMQP_SINK     &weir_amqp_sink,
#define AMQP_LIBRARY  {"rabbitmq-c", amqp_client_version},
#else
#define AMQP_PRODUCER
#define AMQP_SINK
#define AMQP_LIBRARY
#endif

static const struct weir_producer_ops *const producers[] = {
    AMQP_PRODUCER
    &weir_generator_producer,
    KAFKA_PRODUCER
    &weir_stdin_producer,
    NULL,
};

static const struct admin_library libraries[] = {
    KAFKA_LIBRARY
    AMQP_LIBRARY
    {NULL, NULL},
};

static const struct weir_sink_ops *const sinks[] = {
    AMQP_SINK
    &weir_discard_sink,
    &weir_file_sink,
    KAFKA_SINK
    &weir_stdout_sink,
    NULL,
};
/* clang-format on */

static const struct weir_handler *const handlers[] = {
    &weir_passthrough,
    NULL,
};

static const struct connectors all = {
    .producers = producers,
    .sinks = sinks,
    .handlers = handlers,
};

const struct connectors *connectors_all(void)
{
    return &all;
}

const struct admin_library *connectors_libraries(void)
{
    return libraries;
}
