/*
 * kafka_sink_options.h - what a topology says about a Kafka destination.
 */
#ifndef WEIR_KAFKA_SINK_OPTIONS_H
#define WEIR_KAFKA_SINK_OPTIONS_H

#include <weir/settings.h>

extern const struct weir_option kafka_sink_options_table[];

/* Refuses what can be known to be wrong without a connection. */
void kafka_sink_options_check(const struct weir_settings *settings);

#endif
