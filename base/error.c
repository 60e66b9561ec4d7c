/*
 * error.c - a failure as a status and a sentence.
 */
#include <stdarg.h>
#include <stdio.h>

#include <weir/status.h>

enum weir_status weir_fail(struct weir_error *err, enum weir_status status,
                           const char *fmt, ...)
{
    va_list args;

    if (!err)
        return status;
    err->status = status;
    va_start(args, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    return status;
}
