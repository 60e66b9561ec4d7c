/*
 * log_kind.h - how many lines of one kind are written, and how many were not.
 *
 * A kind is a place in the code (its format string) in one pipeline.
 */
#ifndef WEIR_BASE_LOG_KIND_H
#define WEIR_BASE_LOG_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

enum { LOG_KIND_COUNT = 64, LOG_KIND_TEXT_SIZE = 80 };

struct log_kind {
    const void *what;  /* NULL: free */
    const void *whose; /* the pipeline; only compared */
    struct log_limit limit;
    uint64_t turn; /* when it was asked for last */
    enum weir_log_level level;
    char text[LOG_KIND_TEXT_SIZE]; /* how the last line that passed begins */
};

/* Zeroed is ready.  Whoever calls has the lock that guards it. */
struct log_kinds {
    struct log_kind list[LOG_KIND_COUNT];
    uint64_t turn;
};

struct log_said {
    const void *what, *whose;
    enum weir_log_level level;
    const char *text;
    unsigned burst;
};

/* True: write it; *ret_left_out of its kind were not written since. */
bool log_kind_pass(struct log_kinds *kinds, const struct log_said *said,
                   unsigned *ret_left_out);

/* A kind of `whose` (or of nobody) of which lines were left out while no next
 * one came to say it; is_end: whether or not one may still come.  Returns how
 * many; 0: there is none. */
unsigned log_kind_due(struct log_kinds *kinds, const void *whose, bool is_end,
                      struct log_kind *ret_kind);

#endif
