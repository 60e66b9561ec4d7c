/*
 * buffer.h - bytes that grow at their end.
 */
#ifndef WEIR_FORMAT_BUFFER_H
#define WEIR_FORMAT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed is empty.  After a failed allocation it stays `is_failed` until
 * buffer_clear(), so that only the end of a rendering has to look. */
struct buffer {
    char *data;
    size_t size, capacity;
    bool is_failed;
};

void buffer_finish(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* keeps the memory */

/* Room for `size` bytes at the end, or NULL; buffer_advance() keeps them. */
char *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_advance(struct buffer *buffer, size_t size);

void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_number(struct buffer *buffer, unsigned long long number);

#endif
