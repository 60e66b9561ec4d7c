/*
 * statsd_text.c - metrics as lines of StatsD, in datagrams.
 *
 * Names come from those of Prometheus: `weir_` becomes the prefix, and what
 * StatsD says by its types goes: `_total` of a counter, `_seconds` of a timing.
 *
 * StatsD has no escapes.  A tag's value is what others chose (a topic, a
 * queue), so whatever could end it is replaced: a queue called "a|c\nx:1|c" is
 * a strange tag, and no metric of its own.
 *
 * Threads: the caller's.
 */
#include "statsd_text.h"

#include <stdio.h>
#include <string.h>

#include "utf8.h"

enum { NAME_SIZE = 200, TAG_SIZE = 256 };

static const char our_prefix[] = "weir_";

static const char *suffix_of(enum metric_type type)
{
    switch (type) {
    case METRIC_COUNTER:
        return "_total";
    case METRIC_HISTOGRAM:
        return "_seconds";
    default:
        return "";
    }
}

static void write_name(const struct statsd_text *text,
                       const struct metric *metric, char out[NAME_SIZE])
{
    const char *suffix = suffix_of(metric->type), *name = metric->name;
    const size_t suffix_size = strlen(suffix);
    size_t size;

    if (strncmp(name, our_prefix, strlen(our_prefix)) == 0)
        name += strlen(our_prefix);
    size = strlen(name);
    if (size > suffix_size && strcmp(name + size - suffix_size, suffix) == 0)
        size -= suffix_size;
    (void)snprintf(out, NAME_SIZE, "%s.%.*s", text->prefix, (int)size, name);
}

/* What a line is made of, and what could be taken for it. */
static bool is_special(char c)
{
    return (c >= 0 && c <= ' ') || c == '|' || c == ',' || c == ':' ||
           c == '#' || c == '@' || c == '\x7f';
}

static size_t write_value(const char *value, char out[TAG_SIZE])
{
    const size_t whole = strlen(value);
    const bool is_text = utf8_is_valid((struct weir_bytes){value, whole});
    size_t size = whole < TAG_SIZE ? whole : TAG_SIZE - 1;

    /* Not in the midst of a character. */
    while (is_text && size < whole && size > 0 &&
           ((unsigned char)value[size] & 0xC0) == 0x80)
        size--;
    for (size_t i = 0; i < size; i++) {
        const bool is_bad =
            is_special(value[i]) || (!is_text && (unsigned char)value[i] > 127);

        out[i] = (char)(is_bad ? '_' : value[i]);
    }
    if (size == 0) /* an empty one is none */
        out[size++] = '_';
    out[size] = '\0';
    return size;
}

/* Appends to a line of `size`; 0: it does not fit. */
static size_t append(char *line, size_t size, const char *before,
                     const char *name, const char *value)
{
    int written;

    if (size == 0)
        return 0;
    written = snprintf(line + size, STATSD_PACKET_SIZE - size, "%s%s%s", before,
                       name, value);
    return written >= 0 && size + (size_t)written < STATSD_PACKET_SIZE
               ? size + (size_t)written
               : 0;
}

static size_t write_line(const struct statsd_text *text,
                         const struct metric *metric,
                         const struct metric_labels *labels, const char *value,
                         char line[STATSD_PACKET_SIZE])
{
    char name[NAME_SIZE], tag[TAG_SIZE];
    const char *before = "|#";
    size_t size;

    write_name(text, metric, name);
    size = (size_t)snprintf(line, STATSD_PACKET_SIZE, "%s", name);
    size = append(line, size, ":", value, "");
    for (const struct metric_label *label = labels->list; label->name;
         label++) {
        (void)write_value(label->value, tag);
        size = append(line, size, before, label->name, ":");
        size = append(line, size, tag, "", "");
        before = ",";
    }
    return size;
}

void statsd_text_add(struct statsd_text *text, const struct metric *metric,
                     const struct metric_labels *labels, const char *value)
{
    char line[STATSD_PACKET_SIZE];
    const size_t size = write_line(text, metric, labels, value, line);

    if (size == 0)
        return;
    if (text->used > 0 && text->used + 1 + size > STATSD_PACKET_SIZE)
        statsd_text_flush(text);
    if (text->used > 0)
        text->packet[text->used++] = '\n';
    memcpy(text->packet + text->used, line, size);
    text->used += size;
}

void statsd_text_flush(struct statsd_text *text)
{
    if (text->used > 0)
        text->send(text->opaque, text->packet, text->used);
    text->used = 0;
}
