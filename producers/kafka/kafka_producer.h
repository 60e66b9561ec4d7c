/*
 * kafka_producer.h - topics of Apache Kafka, as a member of a consumer group.
 */
#ifndef WEIR_KAFKA_PRODUCER_H
#define WEIR_KAFKA_PRODUCER_H

#include <weir/producer.h>

extern const struct weir_producer_ops weir_kafka_producer;

#endif
