/*
 * format.c - a whole batch as lines of text.
 *
 * A sink writes the text of a batch with as few calls as it can, and must know
 * afterwards which messages a part of it covers.
 *
 *     text   {...}\n {...}\n {...}\n
 *     ends          ^       ^^      ^      message 2 has no text
 *
 * Invariants:
 *   (1) every message with text has at least its newline, so one whose end is
 *       the end before it is one that the format refuses;
 *   (2) a record is a line: in `lines` a payload with a newline in it would be
 *       read back as two, so it is refused and never written.
 *
 * Why refuse and not escape: `lines` promises the payload as it is.  `json`
 * takes any payload.
 *
 * Threads: one text belongs to one thread.
 */
#include "format.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

static const char no_text[] =
    "the payload has a newline in it, which `format: lines` would tear in two: "
    "use `format: json`";

enum format_kind format_kind_read(const struct weir_settings *settings)
{
    const char *const name = weir_settings_string(settings, "format");

    return name && strcmp(name, "json") == 0 ? FORMAT_JSON : FORMAT_LINES;
}

void format_text_finish(struct format_text *text)
{
    buffer_finish(&text->buffer);
    free(text->ends);
    *text = (struct format_text){0};
}

static bool make_room(struct format_text *text, size_t count)
{
    size_t *ends;

    if (count <= text->capacity)
        return true;
    if (count > SIZE_MAX / sizeof *ends)
        return false;
    ends = realloc(text->ends, count * sizeof *ends);
    if (!ends)
        return false;
    text->ends = ends;
    text->capacity = count;
    return true;
}

static void append_line(struct buffer *buffer, const struct weir_message *msg)
{
    const struct weir_bytes payload = weir_message_payload(msg);

    if (payload.size > 0 && memchr(payload.data, '\n', payload.size))
        return;
    buffer_append(buffer, payload.data, payload.size);
    buffer_append(buffer, "\n", 1);
}

static void append_object(struct buffer *buffer, const struct weir_message *msg)
{
    json_append_message(buffer, msg);
    buffer_append(buffer, "\n", 1);
}

enum weir_status format_batch(struct format_text *text, enum format_kind kind,
                              struct weir_batch *batch, struct weir_error *err)
{
    const size_t count = weir_batch_count(batch);

    buffer_clear(&text->buffer);
    text->count = 0;
    if (!make_room(text, count))
        return weir_fail(err, WEIR_RETRY, "no memory for a batch of %zu",
                         count);
    for (size_t i = 0; i < count; i++) {
        const struct weir_message *const msg = weir_batch_message(batch, i);

        if (kind == FORMAT_JSON)
            append_object(&text->buffer, msg);
        else
            append_line(&text->buffer, msg);
        text->ends[i] = text->buffer.size;
    }
    if (text->buffer.is_failed)
        return weir_fail(err, WEIR_RETRY,
                         "no memory for the text of a batch of %zu", count);
    text->count = count;
    return WEIR_OK;
}

static bool has_text(const struct format_text *text, size_t index)
{
    const size_t begin = index > 0 ? text->ends[index - 1] : 0;

    return text->ends[index] > begin;
}

void format_settle(const struct format_text *text, struct weir_batch *batch,
                   size_t first, size_t last)
{
    while (first < last) {
        const bool is_written = has_text(text, first);
        size_t next = first + 1;

        while (next < last && has_text(text, next) == is_written)
            next++;
        weir_batch_set_outcome(batch, first, next - first,
                               is_written ? WEIR_OK : WEIR_REJECT,
                               is_written ? NULL : no_text);
        first = next;
    }
}
