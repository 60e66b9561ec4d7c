/*
 * log_line.h - a log line as it is written: text for people, or JSON.
 */
#ifndef WEIR_BASE_LOG_LINE_H
#define WEIR_BASE_LOG_LINE_H

#include <stddef.h>

#include "log.h"

enum { LOG_TEXT_SIZE = 1000, LOG_LINE_SIZE = 6 * LOG_TEXT_SIZE + 4096 };

/* Into `out`, with a newline at its end; returns its size.  `text` is cut off
 * where it is longer than LOG_TEXT_SIZE.  Of the fields the sentence has all
 * but `trace_id`, which follows it. */
size_t log_line_text(char out[LOG_LINE_SIZE], enum weir_log_level level,
                     const struct log_event *event, const char *text);

/* A field that doesn't fit is left out whole: it stays JSON. */
size_t log_line_json(char out[LOG_LINE_SIZE], enum weir_log_level level,
                     const struct log_place *place,
                     const struct log_event *event, const char *text,
                     unsigned left_out);

#endif
