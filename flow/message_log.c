/*
 * message_log.c - <weir/log.h>: log lines that carry a message's identity.
 *
 * Threads: the worker that runs the callback.
 */
#include <weir/log.h>

#include <stdarg.h>
#include <stdio.h>

#include "message.h"

enum { BURST = 20 };

void weir_log(const struct weir_message *msg, enum weir_log_level level,
              const char *fmt, ...)
{
    unsigned suppressed = 0;
    char text[800], name[160];
    va_list args;

    if ((unsigned)level >= WEIR_LOG_LEVEL_COUNT)
        level = WEIR_LOG_ERROR;
    if (msg && msg->context &&
        !log_limit_pass(&msg->context->limit, BURST, &suppressed))
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (suppressed > 0)
        log_write(level, "%u lines of this worker were left out", suppressed);
    if (msg)
        log_write(level, "%s: %s", message_name(msg, name, sizeof name), text);
    else
        log_write(level, "%s", text);
}
