/*
 * kafka_probe.h - the first contact: are brokers and topics there?
 */
#ifndef WEIR_KAFKA_PROBE_H
#define WEIR_KAFKA_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/settings.h>
#include <weir/status.h>

#include "kafka_sample.h"

struct kafka_producer;

struct kafka_probe {
    unsigned brokers, partitions; /* at least 1 */
    struct kafka_sample sample;   /* 0: unknown */
};

/*
 * Blocks until a broker told what it has, or wake() came.  WEIR_RETRY: no
 * broker answers, or none of the topics exists; `err` says what to check.
 */
WEIR_MUST_USE
enum weir_status kafka_probe_run(struct kafka_producer *kafka,
                                 struct kafka_probe *ret_probe,
                                 struct weir_error *err);

/* Whether a topic of this name is read, and whether some are read by an
 * expression. */
bool kafka_probe_wants(const struct weir_settings *settings, const char *name);
bool kafka_probe_has_regex(const struct weir_settings *settings);

#endif
