/*
 * recent.h - the messages that failed last, for people; never a payload.
 */
#ifndef WEIR_FLOW_RECENT_H
#define WEIR_FLOW_RECENT_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "origin.h"

enum { RECENT_COUNT = 64, RECENT_REASON_SIZE = 200 };

struct recent_failure {
    uint64_t number; /* of all that were kept, from 1 */
    int64_t wall_ms;
    const struct origin *origin; /* valid until the run's producers are gone */
    int64_t position;            /* offset, or delivery tag */
    uint32_t attempt;
    enum reject_reason code;
    const char *stage;               /* "processors", or the batcher */
    char reason[RECENT_REASON_SIZE]; /* cut off when too long */
};

struct recent {
    pthread_mutex_t lock;                     /* of what follows */
    struct recent_failure list[RECENT_COUNT]; /* by number */
    uint64_t count;                           /* so far */
};

void recent_init(struct recent *recent);
void recent_finish(struct recent *recent);

/* Keeps a copy, with a number and the time, in place of the oldest. */
void recent_add(struct recent *recent, const struct recent_failure *failure);

/* Copies up to RECENT_COUNT, the newest first; returns how many. */
size_t recent_read(struct recent *recent,
                   struct recent_failure out[RECENT_COUNT]);

#endif
