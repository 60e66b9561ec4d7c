/*
 * options.h - what a topology may say of an AMQP queue, and what follows.
 */
#ifndef WEIR_PRODUCERS_AMQP_OPTIONS_H
#define WEIR_PRODUCERS_AMQP_OPTIONS_H

#include <weir/settings.h>
#include <weir/share.h>

extern const struct weir_option amqp_producer_options[];

/* How the broker reads the value of a queue argument. */
enum argument_kind { ARGUMENT_TEXT = 0, ARGUMENT_NUMBER, ARGUMENT_BOOLEAN };

enum argument_kind argument_kind_of(const char *name);

/* The written prefetch, or the one that fills the topology within its budget;
 * 1..65535, which is what the protocol can say. */
unsigned options_prefetch(const struct weir_settings *settings);

/* The `check` of the ops table. */
void options_check(const struct weir_settings *settings);

#endif
