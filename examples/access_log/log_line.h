/*
 * log_line.h - one line of an access log, taken apart.
 */
#ifndef ACCESS_LOG_LOG_LINE_H
#define ACCESS_LOG_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/bytes.h>
#include <weir/status.h>

/* As written, escapes included; a part of the line. */
struct log_field {
    const char *data;
    size_t size;
    bool is_plain; /* nothing to undo and nothing to escape */
};

struct log_line {
    struct log_field host, ident, user, time;
    struct log_field method, path, protocol;
    unsigned status; /* 100 to 599 */
    int64_t bytes;   /* -1: written as "-" */
    struct log_field referer, agent;
};

/* Where a line stops being one, and why: "status: not three digits". */
struct log_fault {
    size_t column; /* of the byte that is wrong or missing, from 1 */
    const char *field, *problem;
};

/* The fields borrow from `text`.  False: not a line of that format, and
 * `ret_fault` says why. */
WEIR_MUST_USE
bool log_line_parse(struct weir_bytes text, struct log_line *ret_line,
                    struct log_fault *ret_fault);

#endif
