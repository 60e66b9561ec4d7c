/*
 * log_line_json.h - a line of an access log as one JSON object.
 */
#ifndef ACCESS_LOG_LOG_LINE_JSON_H
#define ACCESS_LOG_LOG_LINE_JSON_H

#include "log_line.h"

/* An upper bound for what log_line_json_write() writes. */
size_t log_line_json_bound(const struct log_line *line);

/* Returns how many bytes it wrote; no NUL behind them. */
size_t log_line_json_write(const struct log_line *line, char *out);

#endif
