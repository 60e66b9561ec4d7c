/*
 * tail.c - the end of a file of lines.
 */
#include "tail.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_SIZE = 16 * 1024 };

static enum weir_status read_block(int fd, char *block, size_t size, off_t at,
                                   struct weir_error *err)
{
    size_t used = 0;

    while (used < size) {
        const ssize_t count =
            pread(fd, block + used, size - used, at + (off_t)used);

        if (count == 0)
            return weir_fail(err, WEIR_RETRY, "it became shorter meanwhile");
        if (count < 0 && errno != EINTR)
            return weir_fail(err, WEIR_RETRY, "cannot read its end: %s",
                             strerror(errno));
        if (count > 0)
            used += (size_t)count;
    }
    return WEIR_OK;
}

enum weir_status tail_find_end(int fd, off_t size, off_t *ret_end,
                               struct weir_error *err)
{
    char block[BLOCK_SIZE];
    off_t end = size;

    while (end > 0) {
        const size_t count =
            end < (off_t)sizeof block ? (size_t)end : sizeof block;
        const off_t begin = end - (off_t)count;
        const enum weir_status status =
            read_block(fd, block, count, begin, err);
        const char *newline;

        if (status != WEIR_OK)
            return status;
        newline = memrchr(block, '\n', count);
        if (newline) {
            *ret_end = begin + (newline - block) + 1;
            return WEIR_OK;
        }
        end = begin;
    }
    *ret_end = 0;
    return WEIR_OK;
}
