/*
 * file.h - small files, read whole.
 */
#ifndef WEIR_CONFIG_FILE_H
#define WEIR_CONFIG_FILE_H

#include <weir/bytes.h>
#include <weir/status.h>

#include "storage.h"

/* A file of at most `limit` bytes, with a NUL behind them.  WEIR_REJECT: `err`
 * is the end of a sentence that begins with its name; WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status file_read(struct storage *storage, const char *path,
                           size_t limit, struct weir_bytes *ret_bytes,
                           struct weir_error *err);

/* The folder of `path`, absolute. */
char *file_folder(struct storage *storage, const char *path);

/* `path` as it is when absolute, else below `folder`. */
char *file_join(struct storage *storage, const char *folder, const char *path);

#endif
