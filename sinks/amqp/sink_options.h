/*
 * sink_options.h - what a topology may say of an AMQP destination.
 */
#ifndef WEIR_SINKS_AMQP_SINK_OPTIONS_H
#define WEIR_SINKS_AMQP_SINK_OPTIONS_H

#include <weir/settings.h>

extern const struct weir_option amqp_sink_options[];

/* Refuses what can't work, as the sink's check(). */
void amqp_sink_check(const struct weir_settings *settings);

#endif
