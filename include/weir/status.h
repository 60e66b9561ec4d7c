/*
 * weir/status.h - what a call's caller must do next, and why.
 *
 * Everything in weir that can fail returns a status; the status says what to
 * do, struct weir_error says why, in a sentence for the operator.
 */
#ifndef WEIR_STATUS_H
#define WEIR_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_MUST_USE         __attribute__((warn_unused_result))
#define WEIR_PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define WEIR_EXPORT           __attribute__((visibility("default")))

enum weir_status {
    WEIR_OK = 0,
    WEIR_DONE,   /* a handler: finished here, no sink; a producer: at its end */
    WEIR_AGAIN,  /* nothing to do now: call again after the next wake-up */
    WEIR_HOLD,   /* taken, but offer no more of this source for now */
    WEIR_RETRY,  /* transient: the same call may succeed later */
    WEIR_REJECT, /* this message is bad, the connector is fine; from a
                    producer, which knows no message yet: end the run, opening
                    it again would change nothing */
    WEIR_FATAL,  /* a connector: replace it, on the restart budget; a handler:
                    end the run */
    /* must stay last */
    WEIR_STATUS_COUNT
};

struct weir_error {
    enum weir_status status;
    char text[240]; /* always terminated, cut off when too long */
};

/*
 * Records a failure and returns `status`, so that a caller can report and leave
 * in one line.  `err` may be NULL when the caller does not want the text.
 */
WEIR_EXPORT
WEIR_PRINTF(3, 4)
enum weir_status weir_fail(struct weir_error *err, enum weir_status status,
                           const char *fmt, ...);

#ifdef __cplusplus
}
#endif

#endif
