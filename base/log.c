/*
 * log.c - log lines: one callback for the process, a level, a form, a rate.
 *
 * A line is a sentence and, in JSON, fields: who speaks (the thread's place)
 * and what it is about (the event's).  It is built on the caller's stack and
 * leaves in one write(), so lines of several threads never mix.
 *
 * Threads: any.  Settings are written before threads start, or atomically
 * (level); each thread has its own place; the counts of what is left out are
 * behind a lock, under which nothing is called.
 */
#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "hash.h"
#include "log_kind.h"
#include "log_line.h"

static struct {
    log_fn callback;
    void *opaque;
    const char *prelude;
    bool is_json;
    _Atomic int level;
    pthread_mutex_t lock;
    struct log_kinds kinds; /* guarded */
} log_state = {.level = WEIR_LOG_INFO, .lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local struct log_place log_here;

static const char *const level_names[WEIR_LOG_LEVEL_COUNT] = {
    [WEIR_LOG_DEBUG] = "debug",
    [WEIR_LOG_INFO] = "info",
    [WEIR_LOG_WARNING] = "warning",
    [WEIR_LOG_ERROR] = "error",
};

void log_set_callback(log_fn callback, void *opaque)
{
    log_state.callback = callback;
    log_state.opaque = opaque;
}

void log_set_prelude(const char *prelude)
{
    log_state.prelude = prelude;
}

void log_set_format(enum log_format format)
{
    log_state.is_json = format == LOG_JSON ||
                        (format == LOG_AUTO && isatty(STDERR_FILENO) != 1);
}

bool log_is_json(void)
{
    return log_state.is_json;
}

void log_set_level(enum weir_log_level level)
{
    atomic_store_explicit(&log_state.level, (int)level, memory_order_relaxed);
}

enum weir_log_level log_level(void)
{
    return (enum weir_log_level)atomic_load_explicit(&log_state.level,
                                                     memory_order_relaxed);
}

const char *log_level_name(enum weir_log_level level)
{
    return level_names[level];
}

bool log_level_parse(const char *name, enum weir_log_level *ret_level)
{
    for (unsigned i = 0; i < WEIR_LOG_LEVEL_COUNT; i++) {
        if (strcmp(name, level_names[i]) != 0)
            continue;
        *ret_level = (enum weir_log_level)i;
        return true;
    }
    return false;
}

void log_set_place(const struct log_place *place)
{
    log_here = *place;
}

/* ---- one line ---- */

static void put_out(const struct log_event *event, const char *text,
                    unsigned left_out)
{
    char out[LOG_LINE_SIZE + 16];
    size_t used = 0;

    if (log_state.callback) {
        log_state.callback(log_state.opaque, event->level, text);
        return;
    }
    if (log_state.prelude)
        used = (size_t)snprintf(out, 16, "%s", log_state.prelude);
    used += log_state.is_json
                ? log_line_json(out + used, event->level, &log_here, event,
                                text, left_out)
                : log_line_text(out + used, event->level, event, text);
    (void)!write(STDERR_FILENO, out, used);
}

static bool pass(const struct log_event *event, const void *kind,
                 const char *text, unsigned *ret_left_out)
{
    const struct log_said said = {
        .what = event->kind ? event->kind : kind,
        .whose = log_here.pipeline,
        .level = event->level,
        .text = text,
        .burst = event->burst > 0                 ? event->burst
                 : event->level == WEIR_LOG_DEBUG ? LOG_DEBUG_BURST
                                                  : LOG_BURST,
    };
    bool is_passed;

    (void)pthread_mutex_lock(&log_state.lock);
    is_passed = log_kind_pass(&log_state.kinds, &said, ret_left_out);
    (void)pthread_mutex_unlock(&log_state.lock);
    return is_passed;
}

WEIR_PRINTF(2, 0)
static void say(const struct log_event *event, const char *fmt, va_list args)
{
    char text[LOG_TEXT_SIZE];
    unsigned left_out = 0;
    size_t used;

    if (event->level < log_level())
        return;
    (void)vsnprintf(text, sizeof text, fmt, args);
    if (!pass(event, fmt, text, &left_out))
        return;
    used = strlen(text);
    if (left_out > 0)
        (void)snprintf(text + used, sizeof text - used,
                       " (%u more like it were left out)", left_out);
    put_out(event, text, left_out);
}

void log_event(const struct log_event *event, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(event, fmt, args);
    va_end(args);
}

void log_write(enum weir_log_level level, const char *fmt, ...)
{
    const struct log_event event = {.level = level};
    va_list args;

    va_start(args, fmt);
    say(&event, fmt, args);
    va_end(args);
}

/* ---- what was left out ---- */

static unsigned take_due(bool is_end, struct log_kind *ret_kind)
{
    unsigned count;

    (void)pthread_mutex_lock(&log_state.lock);
    count = log_kind_due(&log_state.kinds, log_here.pipeline, is_end, ret_kind);
    (void)pthread_mutex_unlock(&log_state.lock);
    return count;
}

static void say_left_out(bool is_end)
{
    struct log_kind kind;
    unsigned count = take_due(is_end, &kind);

    while (count > 0) {
        const struct log_event event = {.level = kind.level};
        char text[LOG_TEXT_SIZE];

        (void)snprintf(text, sizeof text, "%u more like \"%s\" were left out",
                       count, kind.text);
        put_out(&event, text, count);
        count = take_due(is_end, &kind);
    }
}

void log_remind(void)
{
    say_left_out(false);
}

void log_end(void)
{
    say_left_out(true);
}

/* ---- limits ---- */

/* A bucket of `burst` tokens into which one falls back every second. */
bool log_limit_pass(struct log_limit *limit, unsigned burst,
                    unsigned *ret_suppressed)
{
    const int64_t now = clock_now_us();

    if (limit->tokens_used > 0 && now >= limit->next_us) {
        const int64_t back = 1 + (now - limit->next_us) / CLOCK_SECOND_US;

        if (back < (int64_t)limit->tokens_used)
            limit->tokens_used -= (unsigned)back;
        else
            limit->tokens_used = 0;
        limit->next_us += back * CLOCK_SECOND_US;
    }
    if (limit->tokens_used >= burst) {
        limit->suppressed++;
        return false;
    }
    if (limit->tokens_used == 0)
        limit->next_us = now + CLOCK_SECOND_US;
    limit->tokens_used++;
    *ret_suppressed = limit->suppressed;
    limit->suppressed = 0;
    return true;
}

unsigned log_limit_end(struct log_limit *limit)
{
    const unsigned suppressed = limit->suppressed;

    limit->suppressed = 0;
    return suppressed;
}

unsigned log_limit_due(struct log_limit *limit)
{
    if (limit->suppressed == 0 || clock_now_us() < limit->next_us)
        return 0;
    return log_limit_end(limit);
}

bool log_repeat_pass(struct log_repeat *repeat, const char *text,
                     unsigned *ret_suppressed)
{
    const int64_t now = clock_now_us();
    const uint64_t hash = hash_bytes(text, strlen(text), 0);
    struct log_repeat_text *said = &repeat->texts[0];

    for (size_t i = 0; i < LOG_REPEAT_TEXTS; i++) {
        if (repeat->texts[i].hash == hash && now < repeat->texts[i].next_us) {
            repeat->suppressed++;
            return false;
        }
        if (repeat->texts[i].next_us < said->next_us)
            said = &repeat->texts[i];
    }
    *said = (struct log_repeat_text){.next_us = now + 10 * CLOCK_SECOND_US,
                                     .hash = hash};
    *ret_suppressed = repeat->suppressed;
    repeat->suppressed = 0;
    return true;
}
