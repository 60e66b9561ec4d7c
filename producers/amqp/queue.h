/*
 * queue.h - what is said to the broker before messages come.
 */
#ifndef WEIR_PRODUCERS_AMQP_QUEUE_H
#define WEIR_PRODUCERS_AMQP_QUEUE_H

#include <stdint.h>

#include <weir/settings.h>

#include "link.h"

/* Says the declare (without `declare` a passive one) and waits for what the
 * broker says, which the link has.  WEIR_RETRY: no memory, nothing was said.
 * *ret_reply: the library's; NULL: it was refused. */
WEIR_MUST_USE
enum weir_status queue_declare(struct amqp_link *link,
                               const struct weir_settings *settings,
                               const amqp_queue_declare_ok_t **ret_reply,
                               struct weir_error *err);

/*
 * Declares (or only looks at) the queue, binds it, sets the prefetch and starts
 * consuming.  WEIR_RETRY says what the broker has against it; a queue that
 * isn't there is one such thing.  *ret_ready: messages that wait there.
 */
WEIR_MUST_USE
enum weir_status queue_consume(struct amqp_link *link,
                               const struct weir_settings *settings,
                               unsigned prefetch, int64_t *ret_ready,
                               struct weir_error *err);

#endif
