/*
 * message_log.c - <weir/log.h>: log lines that carry a message's identity.
 *
 * Threads: the worker that runs the callback.
 */
#include <weir/log.h>

#include <stdarg.h>
#include <stdio.h>

#include "message_fields.h"

enum { BURST = 20 };

void weir_log(const struct weir_message *msg, enum weir_log_level level,
              const char *fmt, ...)
{
    struct log_event event = {.level = level, .kind = fmt};
    struct message_fields fields;
    char text[800], name[160];
    va_list args;

    if ((unsigned)level >= WEIR_LOG_LEVEL_COUNT)
        event.level = WEIR_LOG_ERROR;
    if (event.level < log_level())
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!msg) {
        log_event(&event, "%s", text);
        return;
    }
    message_fields(msg, &fields);
    event.burst = BURST;
    event.fields = fields.list;
    event.field_count = fields.count;
    log_event(&event, "%s: %s", message_name(msg, name, sizeof name), text);
}
