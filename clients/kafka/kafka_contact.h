/*
 * kafka_contact.h - the first answer of a broker.
 */
#ifndef WEIR_KAFKA_CONTACT_H
#define WEIR_KAFKA_CONTACT_H

#include <librdkafka/rdkafka.h>

#include <weir/status.h>

#include "kafka_trouble.h"
#include "waker.h"

/*
 * Blocks until a broker told what it has of the topics that the client knows
 * (`wants_all`: of all), or a wake came (`waker` may be NULL).  WEIR_RETRY:
 * none answers, and `err` says in one line what to check.  The caller destroys
 * the metadata.
 */
WEIR_MUST_USE
enum weir_status kafka_contact_await(
    rd_kafka_t *rk, int wants_all, struct kafka_trouble *trouble,
    struct waker *waker, const struct rd_kafka_metadata **ret_metadata,
    struct weir_error *err);

/* A client that was cut off: whether a broker answers by now; blocks for a
 * moment. */
bool kafka_contact_check(rd_kafka_t *rk, struct kafka_trouble *trouble);

#endif
