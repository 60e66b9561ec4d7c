/*
 * log.h - log lines: one callback for the process, a level, a form, a rate.
 *
 * The only mutable global of the library.  Library code returns errors and
 * does not log them; the stage that decides logs once.  A connector logs what
 * is no error of a call (a gap, a topic that isn't there yet).
 */
#ifndef WEIR_BASE_LOG_H
#define WEIR_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/log.h>
#include <weir/status.h>

typedef void (*log_fn)(void *opaque, enum weir_log_level level,
                       const char *line);

/* auto: text where standard error is a terminal, else JSON. */
enum log_format {
    LOG_TEXT = 0,
    LOG_JSON,
    LOG_AUTO,
    /* must stay last */
    LOG_FORMAT_COUNT
};

/* Who speaks on this thread; each of its lines has it.  All borrowed, NULL:
 * absent. */
struct log_place {
    const char *pipeline, *stage, *batcher;
    unsigned worker;
};

/* What a line has beside its sentence; docs/logs.md lists the names. */
struct log_field {
    const char *name;
    const char *text; /* NULL: `number` */
    int64_t number;
};

struct log_event {
    enum weir_log_level level;
    unsigned burst;   /* so many lines of its kind at once; 0: LOG_BURST */
    const void *kind; /* NULL: lines with this `fmt` are one */
    const struct log_field *fields;
    size_t field_count;
};

enum { LOG_BURST = 50, LOG_DEBUG_BURST = 1000 };

/* NULL: standard error, in the format.  Before threads start. */
void log_set_callback(log_fn callback, void *opaque);

/* Written before each line on standard error, to clear a line that is redrawn
 * there; NULL: nothing.  Before threads start; not copied. */
void log_set_prelude(const char *prelude);
void log_set_format(enum log_format format);
bool log_is_json(void);

/* Any time, any thread. */
void log_set_level(enum weir_log_level level);
enum weir_log_level log_level(void);

/* Of this thread, from now on. */
void log_set_place(const struct log_place *place);

/* One line, without a newline; cut off at 1,000 characters.  Any thread.  Of
 * each kind LOG_BURST pass, then one a second, which says how many did not. */
WEIR_PRINTF(2, 3)
void log_write(enum weir_log_level level, const char *fmt, ...);
WEIR_PRINTF(2, 3)
void log_event(const struct log_event *event, const char *fmt, ...);

/* Says what this thread's pipeline left out, where no next line of the kind
 * came for a second; end(): at once. */
void log_remind(void);
void log_end(void);

/* "debug", "info", "warning", "error" */
const char *log_level_name(enum weir_log_level level);
bool log_level_parse(const char *name, enum weir_log_level *ret_level);

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
