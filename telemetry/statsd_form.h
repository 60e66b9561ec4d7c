/*
 * statsd_form.h - metrics as StatsD wants them: what changed since last time.
 */
#ifndef WEIR_TELEMETRY_STATSD_FORM_H
#define WEIR_TELEMETRY_STATSD_FORM_H

#include "statsd_text.h"

struct statsd_past; /* what was told of one series */

/* `text` is set by the owner, the rest zeroed. */
struct statsd_form {
    struct statsd_text text;
    struct statsd_past *pasts;
    size_t count, capacity;
};

void statsd_form_finish(struct statsd_form *form);

/* Writes what it is told to `form`, which is borrowed.  A counter that stood
 * still is not written. */
struct metrics_form statsd_form_of(struct statsd_form *form);

#endif
