/*
 * log.c - log lines: one callback for the process, a level, a rate.
 *
 * Threads: settings are written before threads start, or atomically (level);
 * a line is built on the caller's stack and leaves in one write(), so lines of
 * several threads never mix and no lock is needed.
 */
#include "log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

enum { LINE_SIZE = 1000, OUTPUT_SIZE = 6 * LINE_SIZE + 200 };

static struct {
    log_fn callback;
    void *opaque;
    enum log_format format;
    _Atomic int level;
} log_state = {.level = WEIR_LOG_INFO};

static const char *const level_names[WEIR_LOG_LEVEL_COUNT] = {
    [WEIR_LOG_DEBUG] = "debug",
    [WEIR_LOG_INFO] = "info",
    [WEIR_LOG_WARNING] = "warning",
    [WEIR_LOG_ERROR] = "error",
};

/* Appends `text` as the inside of a JSON string. */
static size_t append_escaped(char *out, size_t used, const char *text)
{
    for (const char *c = text; *c && used < OUTPUT_SIZE - 16; c++) {
        if (*c == '"' || *c == '\\') {
            out[used++] = '\\';
            out[used++] = *c;
        } else if ((unsigned char)*c < 0x20) {
            used += (size_t)snprintf(out + used, 8, "\\u%04x",
                                     (unsigned)(unsigned char)*c);
        } else {
            out[used++] = *c;
        }
    }
    return used;
}

static size_t timestamp(char *out, size_t size)
{
    struct timespec now;
    struct tm utc;
    size_t used;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    used = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &utc);
    used += (size_t)snprintf(out + used, size - used, ".%03ldZ",
                             now.tv_nsec / 1000000);
    return used;
}

static void write_stderr(enum weir_log_level level, const char *line)
{
    char out[OUTPUT_SIZE];
    size_t used = 0;

    if (log_state.format == LOG_JSON) {
        used = (size_t)snprintf(out, sizeof out, "{\"time\":\"");
        used += timestamp(out + used, sizeof out - used);
        used += (size_t)snprintf(out + used, sizeof out - used,
                                 "\",\"level\":\"%s\",\"message\":\"",
                                 level_names[level]);
        used = append_escaped(out, used, line);
        out[used++] = '"';
        out[used++] = '}';
    } else {
        used = timestamp(out, sizeof out);
        used += (size_t)snprintf(out + used, sizeof out - used, " %-7s %s",
                                 level_names[level], line);
    }
    out[used++] = '\n';
    (void)!write(STDERR_FILENO, out, used);
}

void log_set_callback(log_fn callback, void *opaque)
{
    log_state.callback = callback;
    log_state.opaque = opaque;
}

void log_set_format(enum log_format format)
{
    log_state.format = format;
}

void log_set_level(enum weir_log_level level)
{
    atomic_store_explicit(&log_state.level, (int)level, memory_order_relaxed);
}

const char *log_level_name(enum weir_log_level level)
{
    return level_names[level];
}

void log_write_va(enum weir_log_level level, const char *fmt, va_list args)
{
    char line[LINE_SIZE];

    if ((int)level <
        atomic_load_explicit(&log_state.level, memory_order_relaxed))
        return;
    (void)vsnprintf(line, sizeof line, fmt, args);
    if (log_state.callback)
        log_state.callback(log_state.opaque, level, line);
    else
        write_stderr(level, line);
}

void log_write(enum weir_log_level level, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_write_va(level, fmt, args);
    va_end(args);
}

bool log_limit_pass(struct log_limit *limit, unsigned burst,
                    unsigned *ret_suppressed)
{
    const int64_t now = clock_now_us();

    if (limit->tokens_used >= burst && now < limit->next_us) {
        limit->suppressed++;
        return false;
    }
    if (now >= limit->next_us)
        limit->tokens_used = limit->tokens_used < burst ? 0 : burst - 1;
    limit->tokens_used++;
    limit->next_us = now + CLOCK_SECOND_US;
    *ret_suppressed = limit->suppressed;
    limit->suppressed = 0;
    return true;
}
