/*
 * log_line.c - a log line as it is written: text for people, or JSON.
 *
 *     2026-01-31T23:59:59.123Z warning orders[3]@42 failed: no total
 * trace_id=..
 *
 *     {"time":"2026-01-31T23:59:59.123Z","level":"warning",
 *      "message":"orders[3]@42 failed: no total","pipeline":"orders",
 *      "stage":"processor","worker":1,"topic":"orders","partition":3,...}
 *
 * The sentence is the same in both, so that what one searches for is found
 * whatever the form; the fields are for programs.  What comes from payloads can
 * be anything: control characters don't reach a terminal, and broken UTF-8
 * doesn't break JSON.
 *
 * Threads: none of its own.
 */
#include "log_line.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

/* So much is left for the closing brace and the newline. */
enum { END_SIZE = 8 };

struct writer {
    char *out;
    size_t used, size;
    bool is_full; /* something did not fit */
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

static void put(struct writer *writer, const char *text, size_t size)
{
    if (size > writer->size - writer->used) {
        writer->is_full = true;
        return;
    }
    memcpy(writer->out + writer->used, text, size);
    writer->used += size;
}

static void put_text(struct writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

/* The inside of a JSON string. */
static void put_escaped(struct writer *writer, const char *text)
{
    char code[8];

    while (*text != '\0' && !writer->is_full) {
        const size_t size = utf8_size(text);

        if (size == 0) {
            put(writer, "?", 1);
        } else if ((unsigned char)*text < 0x20) {
            (void)snprintf(code, sizeof code, "\\u%04x",
                           (unsigned)(unsigned char)*text);
            put(writer, code, 6);
        } else {
            if (*text == '"' || *text == '\\')
                put(writer, "\\", 1);
            put(writer, text, size);
        }
        text += size > 0 ? size : 1;
    }
}

static void put_name(struct writer *writer, const char *name)
{
    put_text(writer, ",\"");
    put_text(writer, name);
    put_text(writer, "\":");
}

/* All of it, or nothing. */
static void put_string(struct writer *writer, const char *name,
                       const char *value)
{
    const size_t before = writer->used;

    if (!value)
        return;
    put_name(writer, name);
    put_text(writer, "\"");
    put_escaped(writer, value);
    put_text(writer, "\"");
    if (writer->is_full)
        writer->used = before;
    writer->is_full = false;
}

static void put_number(struct writer *writer, const char *name, int64_t value)
{
    const size_t before = writer->used;
    char digits[24];

    (void)snprintf(digits, sizeof digits, "%lld", (long long)value);
    put_name(writer, name);
    put_text(writer, digits);
    if (writer->is_full)
        writer->used = before;
    writer->is_full = false;
}

static void put_time(struct writer *writer)
{
    char time[CLOCK_TEXT_SIZE];

    clock_format(clock_wall_ms(), time);
    put_text(writer, time);
}

/* A newline from a payload must not look like the start of another line. */
static void put_plain(struct writer *writer, const char *text)
{
    for (; *text != '\0' && !writer->is_full; text++)
        put(writer, (unsigned char)*text < 0x20 ? " " : text, 1);
}

size_t log_line_text(char out[LOG_LINE_SIZE], enum weir_log_level level,
                     const struct log_event *event, const char *text)
{
    struct writer writer = {.out = out, .size = LOG_LINE_SIZE - END_SIZE};
    char name[16];

    (void)snprintf(name, sizeof name, " %-7s ", log_level_name(level));
    put_time(&writer);
    put_text(&writer, name);
    put_plain(&writer, text);
    for (size_t i = 0; i < event->field_count; i++) {
        if (strcmp(event->fields[i].name, "trace_id") != 0)
            continue;
        put_text(&writer, " trace_id=");
        put_plain(&writer, event->fields[i].text);
    }
    out[writer.used++] = '\n';
    return writer.used;
}

static void put_fields(struct writer *writer, const struct log_event *event)
{
    for (size_t i = 0; i < event->field_count; i++) {
        const struct log_field *field = &event->fields[i];

        if (field->text)
            put_string(writer, field->name, field->text);
        else
            put_number(writer, field->name, field->number);
    }
}

size_t log_line_json(char out[LOG_LINE_SIZE], enum weir_log_level level,
                     const struct log_place *place,
                     const struct log_event *event, const char *text,
                     unsigned left_out)
{
    struct writer writer = {.out = out, .size = LOG_LINE_SIZE - END_SIZE};

    put_text(&writer, "{\"time\":\"");
    put_time(&writer);
    put_text(&writer, "\"");
    put_string(&writer, "level", log_level_name(level));
    put_string(&writer, "message", text);
    put_string(&writer, "pipeline", place->pipeline);
    put_string(&writer, "stage", place->stage);
    put_string(&writer, "batcher", place->batcher);
    if (place->stage)
        put_number(&writer, "worker", place->worker);
    put_fields(&writer, event);
    if (left_out > 0)
        put_number(&writer, "left_out", left_out);
    out[writer.used++] = '}';
    out[writer.used++] = '\n';
    return writer.used;
}
