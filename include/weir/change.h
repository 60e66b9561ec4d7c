/*
 * weir/change.h - what a handler may change of a message.
 *
 * Changes live beside the received record and are forgotten when the callback
 * that made them fails.  Only inside a callback, on the message it was given.
 * Bytes are copied.  WEIR_RETRY means no memory: nothing was changed, and
 * returning it from the callback tries the message again later.
 */
#ifndef WEIR_CHANGE_H
#define WEIR_CHANGE_H

#include <stdint.h>

#include <weir/message.h>
#include <weir/share.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `bytes` may be a part of the present payload; data NULL makes a null one. */
WEIR_EXPORT
WEIR_MUST_USE
enum weir_status weir_message_set_payload(struct weir_message *msg,
                                          struct weir_bytes bytes);

/*
 * Makes room for a payload of up to `size` bytes to be written in place;
 * it becomes the payload when weir_message_commit() says how long it is.  The
 * old payload stays readable until then.  NULL when out of memory.
 */
WEIR_EXPORT
WEIR_MUST_USE
void *weir_message_reserve(struct weir_message *msg, size_t size);
WEIR_EXPORT
void weir_message_commit(struct weir_message *msg, size_t size);

/* Chooses the batcher by its configured name; unset means "default". */
WEIR_EXPORT
void weir_message_route(struct weir_message *msg, const char *batcher);

/* Messages of one key share batches; binary, unset means no key. */
WEIR_EXPORT
void weir_message_set_batch_key(struct weir_message *msg,
                                struct weir_bytes key);

/* Closes the batch that this message enters at once, this message included. */
WEIR_EXPORT
void weir_message_flush(struct weir_message *msg);

WEIR_EXPORT
WEIR_MUST_USE
enum weir_status weir_message_add_header(struct weir_message *msg,
                                         const char *name,
                                         struct weir_bytes value);

/* Records why and returns WEIR_REJECT, to be returned by the callback. */
WEIR_EXPORT
WEIR_PRINTF(2, 3)
enum weir_status weir_message_reject(struct weir_message *msg, const char *fmt,
                                     ...);

/* In handle_message(): not before `delay_ms` from now.  Returns WEIR_RETRY, to
 * be returned; a retried delivery waits by backoff. */
WEIR_EXPORT
enum weir_status weir_message_retry_after(struct weir_message *msg,
                                          int64_t delay_ms);

/* What happens if this message finally fails.  One that the source can't
 * honour is ignored and counted. */
WEIR_EXPORT
void weir_message_set_failure_policy(struct weir_message *msg,
                                     enum weir_policy policy);

/* Settled as done when handle_message() returns WEIR_OK; it travels on, and a
 * later failure is only counted. */
WEIR_EXPORT
void weir_message_settle_early(struct weir_message *msg);

#ifdef __cplusplus
}
#endif

#endif
