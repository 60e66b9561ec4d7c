/*
 * kafka_sink.h - topics of Apache Kafka, as a destination.
 */
#ifndef WEIR_KAFKA_SINK_H
#define WEIR_KAFKA_SINK_H

#include <weir/sink.h>

extern const struct weir_sink_ops weir_kafka_sink;

#endif
