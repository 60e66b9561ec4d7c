/*
 * kafka_contact.h - the first answer of a broker.
 */
#ifndef WEIR_KAFKA_CONTACT_H
#define WEIR_KAFKA_CONTACT_H

#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include <weir/status.h>

#include "kafka_trouble.h"
#include "waker.h"

/* Whom to ask, and for how long. */
struct kafka_contact {
    rd_kafka_t *rk;
    struct kafka_trouble *trouble;
    struct waker *waker; /* NULL: nobody cuts it short */
    bool wants_all;      /* topics; else those that the client knows */
    int64_t patience_us; /* 0: ten seconds */
};

/*
 * Blocks until a broker told what it has of the topics, or a wake came.
 * WEIR_RETRY: none answers, and `err` says in one line what to check.  The
 * caller destroys the metadata.
 */
WEIR_MUST_USE
enum weir_status kafka_contact_await(
    const struct kafka_contact *contact,
    const struct rd_kafka_metadata **ret_metadata, struct weir_error *err);

/* A client that was cut off: whether a broker answers by now; blocks for a
 * moment. */
bool kafka_contact_check(rd_kafka_t *rk, struct kafka_trouble *trouble);

#endif
