/*
 * letters.h - what becomes of a dead letter after its sink said something.
 */
#ifndef WEIR_SINKS_LETTERS_H
#define WEIR_SINKS_LETTERS_H

#include "sink.h"

/* False: it has no outcome (WEIR_STATUS_COUNT) and stays in its batch. */
bool letters_conclude(struct sink *sink, struct weir_message *msg,
                      enum weir_status outcome, const char *why);

#endif
