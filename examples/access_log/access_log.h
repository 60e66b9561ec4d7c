/*
 * access_log.h - the access-log handler, for programs that have it linked in.
 *
 * The plugin, access_log.so, exports the same handler as `weir_handler`.
 */
#ifndef ACCESS_LOG_ACCESS_LOG_H
#define ACCESS_LOG_ACCESS_LOG_H

#include <weir/handler.h>

/* A log line in, a JSON object out, the status class ("2xx") as batch key. */
enum weir_status access_log_handle_message(struct weir_message *msg,
                                           void *state);

extern const struct weir_handler access_log_handler;

#endif
