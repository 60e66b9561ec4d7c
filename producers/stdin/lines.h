/*
 * lines.h - splits what is read into lines, in bounded memory.
 */
#ifndef WEIR_STDIN_LINES_H
#define WEIR_STDIN_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/bytes.h>

struct lines;

/* New; lines above `limit` bytes are not kept.  NULL: no memory. */
struct lines *lines_create(size_t limit);
void lines_destroy(struct lines *lines); /* NULL is fine */

/* Room to read into, not empty while lines_peek() finds nothing. */
char *lines_space(struct lines *lines, size_t *ret_size);
void lines_added(struct lines *lines, size_t size);

/* No more will be added: what is there is the last line. */
void lines_end(struct lines *lines);

/*
 * The next line, without its newline, borrowed until lines_space().  It stays
 * the next one until lines_take().  *ret_omitted > 0: its size, it was too long
 * to keep, and `ret_line` is absent.
 */
bool lines_peek(struct lines *lines, struct weir_bytes *ret_line,
                size_t *ret_omitted);
void lines_take(struct lines *lines);

/* Bytes that were added and not taken. */
size_t lines_left(const struct lines *lines);

#endif
