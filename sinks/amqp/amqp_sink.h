/*
 * amqp_sink.h - a destination that is an exchange of an AMQP 0-9-1 broker.
 */
#ifndef WEIR_AMQP_SINK_H
#define WEIR_AMQP_SINK_H

#include <weir/sink.h>

extern const struct weir_sink_ops weir_amqp_sink;

#endif
