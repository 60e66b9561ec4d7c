/*
 * handover.h - a batch goes to the connector, or to handle_batch().
 */
#ifndef WEIR_SINKS_HANDOVER_H
#define WEIR_SINKS_HANDOVER_H

#include "sink.h"

/* Whether one more may be with the connector. */
bool handover_is_possible(const struct sink *sink);

/* The oldest batch that is held. */
void handover_begin(struct sink *sink);

/* Those that are over leave the connector's. */
void handover_conclude(struct sink *sink);

#endif
