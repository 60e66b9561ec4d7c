/*
 * traceparent.c - W3C Trace Context, as headers carry it.
 *
 *     00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *     version  trace-id                   parent-id       flags
 *
 * As strict as the recommendation (level 1): what is no traceparent in its
 * every character is treated as none, so that a broken one never joins traces
 * that have nothing to do with each other.  A version that is not known yet may
 * be longer behind another dash; version ff is none.
 *
 * Threads: none.
 */
#include "traceparent.h"

#include <stddef.h>
#include <string.h>

enum {
    TRACE_AT = 3,
    PARENT_AT = 36,
    FLAGS_AT = 53,
    LENGTH = 55,
    STATE_MAX = 512,
    MEMBERS_MAX = 32,
    KEY_MAX = 256,
    VALUE_MAX = 256
};

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hexadecimal, and, where it is an identity, not all zeros. */
static bool is_hex(const char *text, size_t size, bool may_be_zero)
{
    bool is_zero = true;

    for (size_t i = 0; i < size; i++) {
        if (digit(text[i]) < 0)
            return false;
        is_zero &= text[i] == '0';
    }
    return may_be_zero || !is_zero;
}

static void copy(char *out, const char *text, size_t size)
{
    memcpy(out, text, size);
    out[size] = '\0';
}

bool traceparent_parse(struct weir_bytes text, struct traceparent *ret_parent)
{
    const char *at = text.data;
    bool is_first;

    if (!at || text.size < LENGTH || !is_hex(at, 2, true) ||
        memcmp(at, "ff", 2) == 0)
        return false;
    is_first = memcmp(at, "00", 2) == 0;
    if (text.size > LENGTH && (is_first || at[LENGTH] != '-'))
        return false;
    if (at[TRACE_AT - 1] != '-' || at[PARENT_AT - 1] != '-' ||
        at[FLAGS_AT - 1] != '-' || !is_hex(at + FLAGS_AT, 2, true) ||
        !is_hex(at + TRACE_AT, TRACE_ID_SIZE - 1, false) ||
        !is_hex(at + PARENT_AT, TRACE_SPAN_ID_SIZE - 1, false))
        return false;
    copy(ret_parent->trace_id, at + TRACE_AT, TRACE_ID_SIZE - 1);
    copy(ret_parent->parent_id, at + PARENT_AT, TRACE_SPAN_ID_SIZE - 1);
    ret_parent->is_sampled = digit(at[FLAGS_AT + 1]) & 1;
    return true;
}

static bool is_key(const char *text, size_t size)
{
    static const char others[] = "_-*/@";

    if (size == 0 || size > KEY_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];
        const bool is_first = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!is_first && (i == 0 || c == '\0' || !strchr(others, c)))
            return false;
    }
    return true;
}

static bool is_value(const char *text, size_t size)
{
    if (size == 0 || size > VALUE_MAX || text[size - 1] == ' ')
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < ' ' || text[i] > '~' || text[i] == '=')
            return false;
    }
    return true;
}

/* key=value, between spaces and tabs; an empty one is allowed. */
static bool is_member(const char *text, size_t size)
{
    const char *equals;

    while (size > 0 && (text[0] == ' ' || text[0] == '\t')) {
        text++;
        size--;
    }
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        size--;
    if (size == 0)
        return true;
    equals = memchr(text, '=', size);
    return equals && is_key(text, (size_t)(equals - text)) &&
           is_value(equals + 1, size - (size_t)(equals - text) - 1);
}

bool tracestate_is_valid(struct weir_bytes text)
{
    const char *at = text.data;
    size_t left = text.size, members = 0;

    if (!at || left == 0 || left > STATE_MAX)
        return false;
    for (;;) {
        const char *comma = memchr(at, ',', left);
        const size_t size = comma ? (size_t)(comma - at) : left;

        if (++members > MEMBERS_MAX || !is_member(at, size))
            return false;
        if (!comma)
            return true;
        at = comma + 1;
        left -= size + 1;
    }
}
