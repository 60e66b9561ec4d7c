/*
 * weir/log.h - log lines from handlers.
 */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

#include <weir/message.h>

#ifdef __cplusplus
extern "C" {
#endif

enum weir_log_level {
    WEIR_LOG_DEBUG = 0,
    WEIR_LOG_INFO,
    WEIR_LOG_WARNING,
    WEIR_LOG_ERROR,
    /* must stay last */
    WEIR_LOG_LEVEL_COUNT
};

/*
 * One line that carries the message's identity (topic, partition, offset).
 * `msg` may be NULL, outside of a message.  Lines with one `fmt` are one kind:
 * 20 of a pipeline pass at once (50 without a message), then one a second; what
 * was left out is counted and said.  Any callback.
 */
WEIR_EXPORT
WEIR_PRINTF(3, 4)
void weir_log(const struct weir_message *msg, enum weir_log_level level,
              const char *fmt, ...);

#ifdef __cplusplus
}
#endif

#endif
