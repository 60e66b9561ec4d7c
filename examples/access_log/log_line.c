/*
 * log_line.c - takes a line of Apache's combined log format apart.
 *
 *   host ident user [time] "method path protocol" status bytes "referer"
 * "agent"
 *
 * Apache writes a quote or a backslash inside a quoted field, or in a user's
 * name, as \" and \\, and what can't be printed as \xHH.  So a quoted field
 * ends at the first quote that isn't escaped, and what is between stays as it
 * is: undoing the escapes is the writer's work (log_line_json.c).
 *
 * Invariants:
 *   (1) at <= end: no byte at or behind `end` is read, although a payload has
 *       readable bytes there, so that this works on any memory;
 *   (2) fields point into the text; nothing is allocated or copied;
 *   (3) when a function fails, `at` is the byte that was wrong or missing.
 *
 * Why not a regular expression: it says that a line is wrong, but not where.
 *
 * Threads: pure functions.
 */
#include "log_line.h"

#include <string.h>

struct cursor {
    const char *at, *end;
    const char *field, *problem; /* once something failed */
};

enum { LAST_MINUTE = 59, LAST_HOUR = 23, LAST_DAY = 31, LEAP_SECOND = 60 };

static bool fail_at(struct cursor *cursor, const char *at, const char *field,
                    const char *problem)
{
    cursor->at = at;
    cursor->field = field;
    cursor->problem = problem;
    return false;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

/* What has an escape to be undone, or needs one in JSON. */
static bool is_special(char byte)
{
    const unsigned char value = (unsigned char)byte;

    return value < ' ' || value >= 0x80 || byte == '"' || byte == '\\';
}

static struct log_field field_of(const char *begin, const char *end)
{
    struct log_field field = {begin, (size_t)(end - begin), true};

    for (const char *at = begin; at < end && field.is_plain; at++)
        field.is_plain = !is_special(*at);
    return field;
}

static bool take(struct cursor *cursor, char byte, const char *field,
                 const char *problem)
{
    if (cursor->at == cursor->end || *cursor->at != byte)
        return fail_at(cursor, cursor->at, field, problem);
    cursor->at++;
    return true;
}

/* Up to the next space, which is taken too. */
static bool take_word(struct cursor *cursor, const char *field,
                      struct log_field *ret_field)
{
    const char *at = cursor->at;

    while (at < cursor->end && (unsigned char)*at > ' ')
        at++;
    if (at == cursor->at)
        return fail_at(cursor, at, field, "missing");
    *ret_field = field_of(cursor->at, at);
    cursor->at = at;
    return take(cursor, ' ', field, "no space behind it");
}

/* "...", without the quotes. */
static bool take_quoted(struct cursor *cursor, const char *field,
                        struct log_field *ret_field)
{
    const char *at;
    bool is_plain = true;

    if (!take(cursor, '"', field, "no opening quote"))
        return false;
    for (at = cursor->at; at < cursor->end && *at != '"'; at++) {
        if (!is_special(*at))
            continue;
        is_plain = false;
        if (*at == '\\' && at + 1 < cursor->end)
            at++;
    }
    *ret_field =
        (struct log_field){cursor->at, (size_t)(at - cursor->at), is_plain};
    cursor->at = at;
    return take(cursor, '"', field, "no closing quote");
}

static bool has_shape(char byte, char shape)
{
    switch (shape) {
    case '0':
        return is_digit(byte);
    case 'A':
        return is_letter(byte);
    case '+':
        return byte == '+' || byte == '-';
    default:
        return byte == shape;
    }
}

static int two_digits(const char *digits)
{
    return (digits[0] - '0') * 10 + (digits[1] - '0');
}

static bool is_month(const char *name)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (const char *month = months; *month; month += 3)
        if (memcmp(month, name, 3) == 0)
            return true;
    return false;
}

/* 17/May/2015:10:05:03 */
static bool is_time(const char *time)
{
    return two_digits(time) >= 1 && two_digits(time) <= LAST_DAY &&
           is_month(time + 3) && two_digits(time + 12) <= LAST_HOUR &&
           two_digits(time + 15) <= LAST_MINUTE &&
           two_digits(time + 18) <= LEAP_SECOND;
}

/* [17/May/2015:10:05:03 +0000] and the space behind it. */
static bool take_time(struct cursor *cursor, struct log_field *ret_field)
{
    static const char shape[] = "00/AAA/0000:00:00:00 +0000";
    const char *time;

    if (!take(cursor, '[', "time", "no opening bracket"))
        return false;
    time = cursor->at;
    for (const char *want = shape; *want; want++, cursor->at++)
        if (cursor->at == cursor->end || !has_shape(*cursor->at, *want))
            return fail_at(cursor, cursor->at, "time",
                           "not like 17/May/2015:10:05:03 +0000");
    if (!is_time(time))
        return fail_at(cursor, time, "time", "no such time");
    *ret_field = field_of(time, cursor->at);
    return take(cursor, ']', "time", "no closing bracket") &&
           take(cursor, ' ', "time", "no space behind it");
}

static bool is_method(struct log_field field)
{
    for (size_t i = 0; i < field.size; i++)
        if (!is_letter(field.data[i]) && field.data[i] != '-' &&
            field.data[i] != '_')
            return false;
    return field.size > 0;
}

/* HTTP/1.1 */
static bool is_protocol(struct log_field field)
{
    const char *slash = memchr(field.data, '/', field.size);
    const char *end = field.data + field.size;

    if (!slash || slash == field.data || slash + 1 == end)
        return false;
    for (const char *at = field.data; at < slash; at++)
        if (!is_letter(*at))
            return false;
    for (const char *at = slash + 1; at < end; at++)
        if (!is_digit(*at) && *at != '.')
            return false;
    return true;
}

/* The first and the last space divide it: a path may have some of its own. */
static bool take_request(struct cursor *cursor, struct log_line *line)
{
    struct log_field request;
    const char *first, *last, *end;

    if (!take_quoted(cursor, "request", &request))
        return false;
    end = request.data + request.size;
    first = memchr(request.data, ' ', request.size);
    if (!first)
        return fail_at(cursor, end, "request", "no method, path and protocol");
    for (last = end - 1; *last != ' '; last--)
        continue;
    line->method = field_of(request.data, first);
    line->protocol = field_of(last + 1, end);
    if (!is_method(line->method))
        return fail_at(cursor, request.data, "method", "not a word");
    if (last <= first + 1)
        return fail_at(cursor, first + 1, "request", "no path or no protocol");
    if (!is_protocol(line->protocol))
        return fail_at(cursor, last + 1, "protocol", "not like HTTP/1.1");
    line->path = (struct log_field){first + 1, (size_t)(last - first - 1),
                                    request.is_plain};
    return take(cursor, ' ', "request", "no space behind it");
}

static bool take_status(struct cursor *cursor, unsigned *ret_status)
{
    const char *digits = cursor->at;

    for (int i = 0; i < 3; i++, cursor->at++)
        if (cursor->at == cursor->end || !is_digit(*cursor->at))
            return fail_at(cursor, cursor->at, "status", "not three digits");
    if (digits[0] < '1' || digits[0] > '5')
        return fail_at(cursor, digits, "status", "not from 100 to 599");
    *ret_status = (unsigned)((digits[0] - '0') * 100 + two_digits(digits + 1));
    return take(cursor, ' ', "status", "no space behind it");
}

static bool take_bytes(struct cursor *cursor, int64_t *ret_bytes)
{
    const char *digits = cursor->at;
    int64_t bytes = 0;

    *ret_bytes = -1;
    if (cursor->at < cursor->end && *cursor->at == '-') {
        cursor->at++;
        return take(cursor, ' ', "bytes", "no space behind it");
    }
    for (; cursor->at < cursor->end && is_digit(*cursor->at); cursor->at++)
        if (__builtin_mul_overflow(bytes, 10, &bytes) ||
            __builtin_add_overflow(bytes, *cursor->at - '0', &bytes))
            return fail_at(cursor, digits, "bytes", "too large");
    if (cursor->at == digits)
        return fail_at(cursor, digits, "bytes", "neither a number nor -");
    *ret_bytes = bytes;
    return take(cursor, ' ', "bytes", "no space behind it");
}

/* A newline belongs to the line; anything else behind the agent doesn't. */
static bool take_end(struct cursor *cursor)
{
    const char *at = cursor->at;

    if (at < cursor->end && *at == '\r')
        at++;
    if (at < cursor->end && *at == '\n')
        at++;
    if (at < cursor->end)
        return fail_at(cursor, cursor->at, "agent", "something behind it");
    return true;
}

bool log_line_parse(struct weir_bytes text, struct log_line *ret_line,
                    struct log_fault *ret_fault)
{
    const char *begin = text.data ? text.data : "";
    struct cursor cursor = {.at = begin, .end = begin + text.size};
    struct log_line line;

    if (take_word(&cursor, "host", &line.host) &&
        take_word(&cursor, "ident", &line.ident) &&
        take_word(&cursor, "user", &line.user) &&
        take_time(&cursor, &line.time) && take_request(&cursor, &line) &&
        take_status(&cursor, &line.status) &&
        take_bytes(&cursor, &line.bytes) &&
        take_quoted(&cursor, "referer", &line.referer) &&
        take(&cursor, ' ', "referer", "no space behind it") &&
        take_quoted(&cursor, "agent", &line.agent) && take_end(&cursor)) {
        *ret_line = line;
        return true;
    }
    *ret_fault = (struct log_fault){(size_t)(cursor.at - begin) + 1,
                                    cursor.field, cursor.problem};
    return false;
}
