/*
 * file_sink.h - a destination that appends lines to one file.
 */
#ifndef WEIR_FILE_SINK_H
#define WEIR_FILE_SINK_H

#include <weir/sink.h>

extern const struct weir_sink_ops weir_file_sink;

#endif
