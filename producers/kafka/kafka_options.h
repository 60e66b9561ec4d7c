/*
 * kafka_options.h - what a topology says about a Kafka source.
 */
#ifndef WEIR_KAFKA_OPTIONS_H
#define WEIR_KAFKA_OPTIONS_H

#include <stdint.h>

#include <weir/settings.h>

enum kafka_start {
    KAFKA_START_EARLIEST = 0,
    KAFKA_START_LATEST,
    KAFKA_START_AT
};

enum kafka_gap { KAFKA_GAP_EARLIEST = 0, KAFKA_GAP_LATEST, KAFKA_GAP_STOP };

struct kafka_options {
    enum kafka_start start;
    int64_t start_ms; /* KAFKA_START_AT: since 1970 */
    enum kafka_gap on_gap;
    uint64_t max_uncommitted;
    int64_t commit_interval_us, drain_timeout_us;
};

extern const struct weir_option kafka_options_table[];

/* Refuses what can be known to be wrong without a connection. */
void kafka_options_check(const struct weir_settings *settings);

/* Of settings that check() let through. */
void kafka_options_read(const struct weir_settings *settings,
                        struct kafka_options *ret_options);

/* "earliest", "latest", RFC 3339 or milliseconds since 1970. */
WEIR_MUST_USE
enum weir_status kafka_options_parse_start(const char *text,
                                           enum kafka_start *ret_start,
                                           int64_t *ret_start_ms);

#endif
