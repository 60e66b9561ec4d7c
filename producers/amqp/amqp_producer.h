/*
 * amqp_producer.h - a queue of an AMQP 0-9-1 broker.
 */
#ifndef WEIR_PRODUCERS_AMQP_AMQP_PRODUCER_H
#define WEIR_PRODUCERS_AMQP_AMQP_PRODUCER_H

#include <weir/producer.h>

extern const struct weir_producer_ops weir_amqp_producer;

#endif
