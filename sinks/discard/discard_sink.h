/*
 * discard_sink.h - a destination that takes everything and keeps nothing.
 */
#ifndef WEIR_DISCARD_SINK_H
#define WEIR_DISCARD_SINK_H

#include <weir/sink.h>

extern const struct weir_sink_ops weir_discard_sink;

#endif
