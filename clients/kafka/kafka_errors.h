/*
 * kafka_errors.h - Kafka's error codes, in weir's words.
 */
#ifndef WEIR_KAFKA_ERRORS_H
#define WEIR_KAFKA_ERRORS_H

#include <stddef.h>

#include <librdkafka/rdkafka.h>

#include <weir/status.h>

#include "kafka_access.h"

/* What the caller must do: WEIR_OK, WEIR_RETRY, WEIR_FATAL. */
enum weir_status kafka_errors_status(rd_kafka_resp_err_t code);

/* What a delivery report says of its message. */
enum kafka_verdict {
    KAFKA_DELIVERED = 0,
    KAFKA_REFUSED,       /* never, for what it is */
    KAFKA_TOO_LARGE,     /* it, or the batch that it was in */
    KAFKA_BATCH_REFUSED, /* for what one message in it is */
    KAFKA_NO_TOPIC,
    KAFKA_UNDECIDED /* it may be there, or not */
};

enum kafka_verdict kafka_errors_verdict(rd_kafka_resp_err_t code);

/*
 * One line: what was tried, with what, and what to check.  `reason` is what
 * librdkafka says, and holds no secret.
 */
void kafka_errors_explain(rd_kafka_resp_err_t code, const char *reason,
                          const struct kafka_access *access, char *out,
                          size_t size);

#endif
