/*
 * kafka_trouble.h - what a client complains of, said once.
 */
#ifndef WEIR_KAFKA_TROUBLE_H
#define WEIR_KAFKA_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "kafka_errors.h"
#include "log.h"

/* Zeroed is ready, after `access` was filled in. */
struct kafka_trouble {
    struct kafka_access access;
    void *owner;    /* for other callbacks, which get the same opaque */
    char text[400]; /* the last explanation; "" when there was none */
    char tls[160];  /* what was wrong with a certificate, from the log */
    bool is_fatal;
    bool is_cut_off; /* every broker is unreachable */
    bool has_worked; /* settings are right: it's the network */
    bool is_silent;  /* whoever asked is told by other means */
    int64_t quiet_until_us;
    char said[400];
    struct log_limit limit;
};

/* Makes it the opaque of `conf`, and takes its errors and log. */
void kafka_trouble_listen(struct kafka_trouble *trouble, rd_kafka_conf_t *conf);

/* For errors of calls and of messages: explains, and logs what is new, or a
 * minute old. */
void kafka_trouble_note(struct kafka_trouble *trouble, rd_kafka_resp_err_t code,
                        const char *reason);

/* Notes what ended the client, when something did. */
void kafka_trouble_ask(struct kafka_trouble *trouble, rd_kafka_t *rk);

/* Something worked. */
void kafka_trouble_clear(struct kafka_trouble *trouble);

#endif
