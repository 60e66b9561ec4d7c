/*
 * lines.c - splits what is read into lines, in bounded memory.
 *
 *     data   ...taken...|a line\n|another\n|the beginning of a third|  space
 *                       ^ begin  ^ begin + line                      ^ end
 *
 * Before more is read, the beginning of the last line moves to the front; so
 * each byte moves at most once, and a reader that gives whole lines moves
 * hardly any.
 *
 * A line that grows above the limit is let go of as it comes; only its size is
 * kept (`dropped`), until its newline ends it.
 *
 * Invariants:
 *   (1) nothing before `scanned` (from `begin` on) is a newline;
 *   (2) while no line is complete, end - begin <= limit, so there is always
 *       space for another read.
 *
 * Threads: one.
 */
#include "lines.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { READ_SIZE = 64 * 1024 };

struct lines {
    size_t limit, capacity;
    size_t begin, end, scanned;
    size_t dropped; /* bytes of the line under way that were let go of */
    size_t line;    /* of the complete line at `begin`, its newline too */
    bool is_complete, is_ended;
    char data[];
};

struct lines *lines_create(size_t limit)
{
    struct lines *lines;

    if (limit > SIZE_MAX / 2)
        return NULL;
    lines = malloc(sizeof *lines + limit + READ_SIZE);
    if (lines)
        *lines = (struct lines){.limit = limit, .capacity = limit + READ_SIZE};
    return lines;
}

void lines_destroy(struct lines *lines)
{
    free(lines);
}

char *lines_space(struct lines *lines, size_t *ret_size)
{
    const size_t kept = lines->end - lines->begin;
    size_t size;

    memmove(lines->data, lines->data + lines->begin, kept);
    lines->scanned -= lines->begin;
    lines->begin = 0;
    lines->end = kept;
    size = lines->capacity - kept;
    *ret_size = size < READ_SIZE ? size : READ_SIZE;
    return lines->data + kept;
}

void lines_added(struct lines *lines, size_t size)
{
    lines->end += size;
}

void lines_end(struct lines *lines)
{
    lines->is_ended = true;
}

/* Looks for the end of the line at `begin`. */
static void scan(struct lines *lines)
{
    const char *const from = lines->data + lines->scanned;
    const size_t size = lines->end - lines->scanned;
    const char *const newline = memchr(from, '\n', size);

    lines->scanned = lines->end;
    if (newline) {
        lines->line = (size_t)(newline + 1 - (lines->data + lines->begin));
        lines->is_complete = true;
        return;
    }
    if (lines->is_ended && lines->end - lines->begin + lines->dropped > 0) {
        lines->line = lines->end - lines->begin;
        lines->is_complete = true;
        return;
    }
    if (lines->dropped + lines->end - lines->begin > lines->limit) {
        lines->dropped += lines->end - lines->begin;
        lines->begin = lines->end;
    }
}

bool lines_peek(struct lines *lines, struct weir_bytes *ret_line,
                size_t *ret_omitted)
{
    const char *text;
    size_t size;

    if (!lines->is_complete)
        scan(lines);
    if (!lines->is_complete)
        return false;
    text = lines->data + lines->begin;
    size = lines->line;
    if (size > 0 && text[size - 1] == '\n')
        size--;
    *ret_line = (struct weir_bytes){text, size};
    *ret_omitted = 0;
    if (size + lines->dropped > lines->limit) {
        *ret_line = (struct weir_bytes){0};
        *ret_omitted = size + lines->dropped;
    }
    return true;
}

void lines_take(struct lines *lines)
{
    lines->begin += lines->line;
    lines->scanned = lines->begin;
    lines->dropped = 0;
    lines->is_complete = false;
}

size_t lines_left(const struct lines *lines)
{
    return lines->end - lines->begin + lines->dropped;
}
