/*
 * json.c - a message as one JSON object.
 *
 *     {"topic":"t","partition":0,"offset":7,"timestamp":1700000000000,
 *      "key":"k","headers":[{"name":"n","value":"v"}],"batch_key":null,
 *      "payload":"..."}
 *
 * What is not UTF-8 is written as base64 under another name, "payload_base64"
 * instead of "payload", so that a reader can't take one for the other.  Absent
 * and empty stay different: null and "".
 *
 * Why no JSON library: it would copy every string into a tree and count
 * references, for an object whose shape never changes; see
 * docs/decisions/001-json-envelope.md.  The tests read every line back with
 * one.
 *
 * Threads: no state; one buffer belongs to one thread.
 */
#include "json.h"

#include <string.h>

#include "base64.h"
#include "utf8.h"

/* What a byte becomes inside a string; 1 is itself, 'u' is \u00XX. */
static const char escapes[256] = {
    [0x00] = 'u', [0x01] = 'u', [0x02] = 'u', [0x03] = 'u',  [0x04] = 'u',
    [0x05] = 'u', [0x06] = 'u', [0x07] = 'u', ['\b'] = 'b',  ['\t'] = 't',
    ['\n'] = 'n', [0x0B] = 'u', ['\f'] = 'f', ['\r'] = 'r',  [0x0E] = 'u',
    [0x0F] = 'u', [0x10] = 'u', [0x11] = 'u', [0x12] = 'u',  [0x13] = 'u',
    [0x14] = 'u', [0x15] = 'u', [0x16] = 'u', [0x17] = 'u',  [0x18] = 'u',
    [0x19] = 'u', [0x1A] = 'u', [0x1B] = 'u', [0x1C] = 'u',  [0x1D] = 'u',
    [0x1E] = 'u', [0x1F] = 'u', ['"'] = '"',  ['\\'] = '\\',
};

static void append_escape(struct buffer *buffer, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    const char shape = escapes[byte];
    const char pair[] = {'\\', shape};
    const char code[] = {
        '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};

    if (shape == 'u')
        buffer_append(buffer, code, sizeof code);
    else
        buffer_append(buffer, pair, sizeof pair);
}

static void append_string(struct buffer *buffer, struct weir_bytes bytes)
{
    const unsigned char *const text = bytes.data;
    size_t plain = 0;

    buffer_append(buffer, "\"", 1);
    for (size_t i = 0; i < bytes.size; i++) {
        if (escapes[text[i]] == 0)
            continue;
        buffer_append(buffer, text + plain, i - plain);
        append_escape(buffer, text[i]);
        plain = i + 1;
    }
    buffer_append(buffer, text + plain, bytes.size - plain);
    buffer_append(buffer, "\"", 1);
}

void json_append_text(struct buffer *buffer, const char *text)
{
    const struct weir_bytes bytes = {text, strlen(text)};

    if (utf8_is_valid(bytes)) {
        append_string(buffer, bytes);
        return;
    }
    buffer_append(buffer, "\"", 1);
    for (size_t i = 0; i < bytes.size; i++) {
        const unsigned char byte = (unsigned char)text[i];

        if (byte > 127)
            buffer_append(buffer, "?", 1);
        else if (escapes[byte] != 0)
            append_escape(buffer, byte);
        else
            buffer_append(buffer, &text[i], 1);
    }
    buffer_append(buffer, "\"", 1);
}

static void append_base64(struct buffer *buffer, struct weir_bytes bytes)
{
    const size_t size = base64_size(bytes.size) + 2;
    char *const out = buffer_reserve(buffer, size);

    if (!out)
        return;
    out[0] = '"';
    base64_write(out + 1, bytes.data, bytes.size);
    out[size - 1] = '"';
    buffer_advance(buffer, size);
}

void json_append_bytes(struct buffer *buffer, const char *name,
                       struct weir_bytes bytes)
{
    const bool is_text = !bytes.data || utf8_is_valid(bytes);

    buffer_append(buffer, "\"", 1);
    buffer_append_text(buffer, name);
    buffer_append_text(buffer, is_text ? "\":" : "_base64\":");
    if (!bytes.data)
        buffer_append_text(buffer, "null");
    else if (is_text)
        append_string(buffer, bytes);
    else
        append_base64(buffer, bytes);
}

/* ,"name":number; below zero is null. */
static void append_number(struct buffer *buffer, const char *name,
                          int64_t number)
{
    buffer_append_text(buffer, ",\"");
    buffer_append_text(buffer, name);
    buffer_append_text(buffer, "\":");
    if (number < 0)
        buffer_append_text(buffer, "null");
    else
        buffer_append_number(buffer, (unsigned long long)number);
}

static void append_headers(struct buffer *buffer,
                           const struct weir_message *msg)
{
    const size_t count = weir_message_header_count(msg);

    buffer_append_text(buffer, ",\"headers\":[");
    for (size_t i = 0; i < count; i++) {
        const struct weir_header header = weir_message_header(msg, i);

        buffer_append_text(buffer, i > 0 ? ",{" : "{");
        json_append_bytes(buffer, "name", header.name);
        buffer_append_text(buffer, ",");
        json_append_bytes(buffer, "value", header.value);
        buffer_append_text(buffer, "}");
    }
    buffer_append_text(buffer, "]");
}

void json_append_message(struct buffer *buffer, const struct weir_message *msg)
{
    buffer_append_text(buffer, "{");
    json_append_bytes(buffer, "topic", weir_str(weir_message_topic(msg)));
    append_number(buffer, "partition", weir_message_partition(msg));
    append_number(buffer, "offset", weir_message_offset(msg));
    append_number(buffer, "timestamp", weir_message_timestamp_ms(msg));
    buffer_append_text(buffer, ",");
    json_append_bytes(buffer, "key", weir_message_key(msg));
    append_headers(buffer, msg);
    buffer_append_text(buffer, ",");
    json_append_bytes(buffer, "batch_key", weir_message_batch_key(msg));
    buffer_append_text(buffer, ",");
    json_append_bytes(buffer, "payload", weir_message_payload(msg));
    buffer_append_text(buffer, "}");
}
