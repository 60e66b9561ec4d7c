/*
 * stdout_sink.h - a destination that writes lines to standard output.
 */
#ifndef WEIR_STDOUT_SINK_H
#define WEIR_STDOUT_SINK_H

#include <weir/sink.h>

extern const struct weir_sink_ops weir_stdout_sink;

#endif
