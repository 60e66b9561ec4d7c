/*
 * loop.h - whether a destination leads back to its source.
 */
#ifndef WEIR_PRODUCERS_AMQP_LOOP_H
#define WEIR_PRODUCERS_AMQP_LOOP_H

#include <stdbool.h>

#include <weir/settings.h>

/* As struct weir_producer_ops.reads. */
bool loop_reads(const struct weir_settings *settings,
                const struct weir_settings *sink);

#endif
