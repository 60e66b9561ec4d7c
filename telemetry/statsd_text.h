/*
 * statsd_text.h - metrics as lines of StatsD, in datagrams.
 *
 *     weir.rejections:5|c|#pipeline:orders,reason:handler
 */
#ifndef WEIR_TELEMETRY_STATSD_TEXT_H
#define WEIR_TELEMETRY_STATSD_TEXT_H

#include <stddef.h>

#include "metrics.h"

/* Fits a frame of Ethernet, with the headers of IPv6 and UDP. */
enum { STATSD_PACKET_SIZE = 1432 };

struct statsd_text {
    const char *prefix; /* "weir" */
    void (*send)(void *opaque, const char *packet, size_t size);
    void *opaque;
    size_t used;
    char packet[STATSD_PACKET_SIZE];
};

/* A line; `value` is what is behind the colon: "5|c".  What is full is sent
 * before; a line that fits no datagram is left out. */
void statsd_text_add(struct statsd_text *text, const struct metric *metric,
                     const struct metric_labels *labels, const char *value);

/* Sends what is left. */
void statsd_text_flush(struct statsd_text *text);

#endif
