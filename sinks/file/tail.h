/*
 * tail.h - the end of a file of lines.
 */
#ifndef WEIR_FILE_TAIL_H
#define WEIR_FILE_TAIL_H

#include <sys/types.h>

#include <weir/status.h>

/* Where the last whole line of a file of `size` bytes ends; 0: there is none.
 * WEIR_RETRY: it can't be read. */
WEIR_MUST_USE
enum weir_status tail_find_end(int fd, off_t size, off_t *ret_end,
                               struct weir_error *err);

#endif
