/*
 * log_line_json.c - writes a line of an access log as one JSON object.
 *
 * Two escapings meet here.  The log's is undone as far as it can be: \" is a
 * quote and \\ a backslash.  \xHH stays as it is written, because the bytes it
 * stands for need not be UTF-8, which JSON must be; its backslash is one like
 * any other and is doubled.
 *
 *     in the log     means          in JSON
 *     \"             "              \"
 *     \\             \              \\
 *     \xe4           \xe4           \\xe4
 *     a byte 0xe4    (no UTF-8)     \\xe4      as Apache would have logged it
 *     a byte 0x01                   \u0001
 *
 * So the first two are copied as they are, valid UTF-8 too, and nothing is
 * dropped or replaced by a sign that could stand for anything.
 *
 * Invariant: a byte of the log becomes at most LARGEST bytes of JSON, which
 * log_line_json_bound() counts, so writing checks no limits.
 *
 * Threads: pure functions.
 */
#include "log_line_json.h"

#include <string.h>

enum {
    LARGEST = 6,  /* \u0001 */
    AROUND = 256, /* names, quotes and both numbers */
    NUMBER_DIGITS = 20
};

static char *put(char *out, const char *text, size_t size)
{
    memcpy(out, text, size);
    return out + size;
}

#define PUT(out, literal) put(out, literal, sizeof(literal) - 1)

static char *put_hex(char *out, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";

    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
    return out;
}

static char *put_number(char *out, uint64_t number)
{
    char digits[NUMBER_DIGITS];
    char *first = digits + sizeof(digits);

    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return put(out, first, (size_t)(digits + sizeof(digits) - first));
}

/*
 * The length of the UTF-8 character at `at`, 0 when it isn't one: cut off,
 * longer than it need be, a surrogate, or beyond U+10FFFF.
 */
static size_t utf8_length(const unsigned char *at, const unsigned char *end)
{
    static const struct {
        unsigned char first, last, low, high; /* of the second byte */
        size_t size;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    const size_t count = sizeof(forms) / sizeof(forms[0]);
    size_t i = 0;

    while (i < count && (*at < forms[i].first || *at > forms[i].last))
        i++;
    if (i == count || (size_t)(end - at) < forms[i].size ||
        at[1] < forms[i].low || at[1] > forms[i].high)
        return 0;
    for (size_t k = 2; k < forms[i].size; k++)
        if ((at[k] & 0xc0) != 0x80)
            return 0;
    return forms[i].size;
}

/* What begins at `at`; returns where the next begins. */
static const unsigned char *put_next(const unsigned char *at,
                                     const unsigned char *end, char **out)
{
    size_t length = 1;

    if (*at == '\\' && at + 1 < end && (at[1] == '"' || at[1] == '\\')) {
        length = 2;
        *out = put(*out, (const char *)at, length);
    } else if (*at == '\\') {
        *out = PUT(*out, "\\\\");
    } else if (*at == '"') {
        *out = PUT(*out, "\\\"");
    } else if (*at < ' ') {
        *out = put_hex(PUT(*out, "\\u00"), *at);
    } else if (*at < 0x80) {
        *(*out)++ = (char)*at;
    } else {
        length = utf8_length(at, end);
        if (length > 0)
            *out = put(*out, (const char *)at, length);
        else
            *out = put_hex(PUT(*out, "\\\\x"), *at);
    }
    return at + (length > 0 ? length : 1);
}

/* Its name and quotes are written by the caller. */
static char *put_field(char *out, const struct log_field *field)
{
    const unsigned char *at = (const unsigned char *)field->data;
    const unsigned char *end = at + field->size;

    if (field->is_plain)
        return put(out, field->data, field->size);
    while (at < end)
        at = put_next(at, end, &out);
    return out;
}

static size_t field_bound(const struct log_field *field)
{
    return field->is_plain ? field->size : field->size * LARGEST;
}

size_t log_line_json_bound(const struct log_line *line)
{
    return AROUND + field_bound(&line->host) + field_bound(&line->user) +
           field_bound(&line->time) + field_bound(&line->method) +
           field_bound(&line->path) + field_bound(&line->protocol) +
           field_bound(&line->referer) + field_bound(&line->agent);
}

size_t log_line_json_write(const struct log_line *line, char *out)
{
    char *at = out;

    at = put_field(PUT(at, "{\"host\":\""), &line->host);
    at = put_field(PUT(at, "\",\"user\":\""), &line->user);
    at = put_field(PUT(at, "\",\"time\":\""), &line->time);
    at = put_field(PUT(at, "\",\"method\":\""), &line->method);
    at = put_field(PUT(at, "\",\"path\":\""), &line->path);
    at = put_field(PUT(at, "\",\"protocol\":\""), &line->protocol);
    at = put_number(PUT(at, "\",\"status\":"), line->status);
    at = PUT(at, ",\"bytes\":");
    if (line->bytes < 0)
        at = PUT(at, "null");
    else
        at = put_number(at, (uint64_t)line->bytes);
    at = put_field(PUT(at, ",\"referer\":\""), &line->referer);
    at = put_field(PUT(at, "\",\"agent\":\""), &line->agent);
    at = PUT(at, "\"}");
    return (size_t)(at - out);
}
