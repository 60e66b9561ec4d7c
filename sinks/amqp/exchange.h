/*
 * exchange.h - where messages are published, before the first of them is.
 */
#ifndef WEIR_SINKS_AMQP_EXCHANGE_H
#define WEIR_SINKS_AMQP_EXCHANGE_H

#include <weir/settings.h>

#include "link.h"

/* Says the declare (without `declare` a passive one) and waits for what the
 * broker says, which the link has.  WEIR_RETRY: no memory, nothing was said. */
WEIR_MUST_USE
enum weir_status exchange_declare(struct amqp_link *link,
                                  const struct weir_settings *settings,
                                  const char *name, struct weir_error *err);

/* Declares the exchange if `declare` is written; else asks for it, so that a
 * missing one is said before anything is published. */
WEIR_MUST_USE
enum weir_status exchange_prepare(struct amqp_link *link,
                                  const struct weir_settings *settings,
                                  const char *name, struct weir_error *err);

#endif
