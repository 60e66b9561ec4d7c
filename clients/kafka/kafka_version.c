/*
 * kafka_version.c - which librdkafka this process runs with.
 */
#include "kafka_version.h"

#include <librdkafka/rdkafka.h>

const char *kafka_client_version(void)
{
    return rd_kafka_version_str();
}
