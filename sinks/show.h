/*
 * show.h - what a sink worker shows to others.
 */
#ifndef WEIR_SINKS_SHOW_H
#define WEIR_SINKS_SHOW_H

#include <stdbool.h>

#include "sink.h"

/* Whether its destination is there; where not, since when. */
void show_connected(struct sink *sink, bool is_connected);

/* It has the messages of `batch`: from when it took them, however often it
 * writes them. */
void show_taken(const struct sink *sink, const struct weir_batch *batch);

/* How much it has in hand. */
void show_hand(struct sink *sink);

/* Answers CONTROL_DESCRIBE. */
void show_holdings(struct sink *sink);

/* <weir/telemetry.h>: it begins, unless that was told; it is over, or (`why`)
 * it failed as a whole and begins again. */
void show_begun(const struct sink *sink, struct weir_batch *batch);
void show_over(const struct sink *sink, struct weir_batch *batch,
               const char *why);

#endif
