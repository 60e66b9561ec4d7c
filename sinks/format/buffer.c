/*
 * buffer.c - bytes that grow at their end.
 */
#include "buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 4096, NUMBER_SIZE = 24 };

void buffer_finish(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->is_failed = false;
}

static bool grow(struct buffer *buffer, size_t needed)
{
    size_t capacity =
        buffer->capacity < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity;
    char *data;

    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    data = realloc(buffer->data, capacity);
    if (!data)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

char *buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->is_failed)
        return NULL;
    if (buffer->capacity - buffer->size < size &&
        (size > SIZE_MAX - buffer->size ||
         !grow(buffer, buffer->size + size))) {
        buffer->is_failed = true;
        return NULL;
    }
    return buffer->data + buffer->size;
}

void buffer_advance(struct buffer *buffer, size_t size)
{
    buffer->size += size;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    char *const out = size > 0 ? buffer_reserve(buffer, size) : NULL;

    if (!out)
        return;
    memcpy(out, data, size);
    buffer->size += size;
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_number(struct buffer *buffer, unsigned long long number)
{
    char digits[NUMBER_SIZE];
    char *at = digits + sizeof digits;

    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buffer_append(buffer, at, (size_t)(digits + sizeof digits - at));
}
