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

#if WEIR_WITH_KAFKA
#include "kafka_producer.h"
#include "kafka_version.h"
#endif
#if WEIR_WITH_AMQP
#include "amqp_producer.h"
#include "amqp_version.h"
#endif

static const struct weir_producer_ops *const producers[] = {
#if WEIR_WITH_AMQP
    &weir_amqp_producer,
#endif
    &weir_generator_producer,
#if WEIR_WITH_KAFKA
    &weir_kafka_producer,
#endif
    &weir_stdin_producer,     NULL,
};

static const struct weir_sink_ops *const sinks[] = {
    &weir_discard_sink,
    &weir_file_sink,
    &weir_stdout_sink,
    NULL,
};

static const struct weir_handler *const handlers[] = {
    &weir_passthrough,
    NULL,
};

static const struct connectors all = {
    .producers = producers,
    .sinks = sinks,
    .handlers = handlers,
};

static const struct connector_library libraries[] = {
#if WEIR_WITH_KAFKA
    {"librdkafka", kafka_client_version},
#endif
#if WEIR_WITH_AMQP
    {"rabbitmq-c", amqp_client_version},
#endif
    {NULL, NULL},
};

const struct connectors *connectors_all(void)
{
    return &all;
}

const struct connector_library *connectors_libraries(void)
{
    return libraries;
}
