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
#include "hash.h"

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

/* Of the UTF-8 character that starts with `first`; 0 when none does. */
static size_t utf8_size_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2)
        return 0;
    if (first < 0xe0)
        return 2;
    if (first < 0xf0)
        return 3;
    return first < 0xf5 ? 4 : 0;
}

/* The bytes of the UTF-8 character at `text`, 0 when it is broken. */
static size_t utf8_size(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    const size_t size = utf8_size_of(c[0]);

    for (size_t i = 1; i < size; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    /* Overlong, a surrogate, or past the last character. */
    if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
        (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
        return 0;
    return size;
}

/* Appends `text` as the inside of a JSON string. */
static size_t append_escaped(char *out, size_t used, const char *text)
{
    while (*text != '\0' && used < OUTPUT_SIZE - 16) {
        const size_t size = utf8_size(text);

        if (size == 0) {
            out[used++] = '?';
            text++;
        } else if ((unsigned char)*text < 0x20) {
            used += (size_t)snprintf(out + used, 8, "\\u%04x",
                                     (unsigned)(unsigned char)*text++);
        } else {
            if (*text == '"' || *text == '\\')
                out[used++] = '\\';
            memcpy(out + used, text, size);
            used += size;
            text += size;
        }
    }
    return used;
}

/* A newline from a payload must not look like the start of another line. */
static size_t append_plain(char *out, size_t used, const char *text)
{
    for (; *text != '\0' && used < OUTPUT_SIZE - 1; text++, used++) {
        out[used] = *text;
        if ((unsigned char)*text < 0x20)
            out[used] = ' ';
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

void log_default(enum weir_log_level level, const char *line)
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
        used += (size_t)snprintf(out + used, sizeof out - used, " %-7s ",
                                 level_names[level]);
        used = append_plain(out, used, line);
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
        log_default(level, line);
}

void log_write(enum weir_log_level level, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    log_write_va(level, fmt, args);
    va_end(args);
}

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
