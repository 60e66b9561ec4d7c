/*
 * log.h - log lines: one callback for the process, a level, a rate.
 *
 * The only mutable global of the library.  Library code returns errors and
 * does not log them; the stage that decides logs once.  A connector logs what
 * is no error of a call (a gap, a topic that isn't there yet).
 */
#ifndef WEIR_BASE_LOG_H
#define WEIR_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <weir/log.h>
#include <weir/status.h>

typedef void (*log_fn)(void *opaque, enum weir_log_level level,
                       const char *line);

enum log_format { LOG_TEXT = 0, LOG_JSON };

/* NULL: standard error, in `format`.  Before threads start. */
void log_set_callback(log_fn callback, void *opaque);

/* What a callback may call after something of its own: writes the line to
 * standard error. */
void log_default(enum weir_log_level level, const char *line);
void log_set_format(enum log_format format);
void log_set_level(enum weir_log_level level);

/* One line, without a newline; cut off at 1,000 characters.  Any thread. */
WEIR_PRINTF(2, 3)
void log_write(enum weir_log_level level, const char *fmt, ...);
WEIR_PRINTF(2, 0)
void log_write_va(enum weir_log_level level, const char *fmt, va_list args);

/* "debug", "info", "warning", "error" */
const char *log_level_name(enum weir_log_level level);

/* Lets `burst` lines through, then one per second, and says how many were left
 * out; one per place that may repeat, owned by one thread.  Zeroed is ready. */
struct log_limit {
    int64_t next_us;
    unsigned tokens_used, suppressed;
};

/* True: write it; *ret_suppressed lines were left out since the last one. */
bool log_limit_pass(struct log_limit *limit, unsigned burst,
                    unsigned *ret_suppressed);

/* Where no next line may come: how many were left out, 0 while another could
 * still say it; end(): at once.  Counted once. */
unsigned log_limit_due(struct log_limit *limit);
unsigned log_limit_end(struct log_limit *limit);

/* Lets a text through when it is none of the last few, else every ten seconds:
 * for trouble that is tried again and again.  As above. */
enum { LOG_REPEAT_TEXTS = 4 };

struct log_repeat {
    struct log_repeat_text {
        int64_t next_us;
        uint64_t hash;
    } texts[LOG_REPEAT_TEXTS];
    unsigned suppressed;
};

bool log_repeat_pass(struct log_repeat *repeat, const char *text,
                     unsigned *ret_suppressed);

#endif
