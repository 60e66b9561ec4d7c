/*
 * format.h - a whole batch as lines of text.
 */
#ifndef WEIR_FORMAT_FORMAT_H
#define WEIR_FORMAT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/batch.h>
#include <weir/settings.h>

#include "buffer.h"

enum format_kind {
    FORMAT_LINES = 0, /* the payload and a newline */
    FORMAT_JSON,      /* an envelope with metadata and a newline */
    /* must stay last */
    FORMAT_KIND_COUNT
};

/* The option of a sink that writes text, for its table; reads what it says. */
#define FORMAT_OPTION                                                          \
    {                                                                          \
        .name = "format", .type = WEIR_OPTION_CHOICE, .fallback = "lines",     \
        .choices = "lines|json",                                               \
        .help = "The payload and a newline, or one JSON object a line with "   \
                "the payload and its metadata.",                               \
    }
enum format_kind format_kind_read(const struct weir_settings *settings);

/* A batch as text.  Zeroed is ready; the memory is kept between batches. */
struct format_text {
    struct buffer buffer;
    size_t *ends; /* message i ends there; where the one before it ended, and
                     not at the beginning of a line: it has no text */
    size_t capacity, count;
};

void format_text_finish(struct format_text *text);

/* WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status format_batch(struct format_text *text, enum format_kind kind,
                              struct weir_batch *batch, struct weir_error *err);

/* Sets the outcomes of messages first .. last - 1, whose text was written:
 * delivered, or rejected where there was none. */
void format_settle(const struct format_text *text, struct weir_batch *batch,
                   size_t first, size_t last);

#endif
