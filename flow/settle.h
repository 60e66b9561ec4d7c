/*
 * settle.h - the way back: a message has ended, its producer is told.
 */
#ifndef WEIR_FLOW_SETTLE_H
#define WEIR_FLOW_SETTLE_H

#include "histogram.h"
#include "message.h"
#include "tap.h"

/* One per thread that ends messages. */
struct settler {
    struct run *run;
    struct mail_list lists[RUN_MAX_HOMES];
    struct weir_message *last[RUN_MAX_HOMES]; /* of each list, its last run */

    struct histogram latency; /* from taken in to settled */
    int64_t now_us;           /* of this flush; 0: not looked at yet */
    int64_t taken_us;         /* of those not yet in `latency` */
    uint32_t alike;           /* how many those are */

    /* For whoever samples: tap.h. */
    const char *batcher; /* whose messages it ends; NULL: the processors' */
    bool is_of_letters;  /* what is dropped here has a confirmed dead letter */
    struct tap_rest tap_rest;
};

void settler_init(struct settler *settler, struct run *run);

/* Exactly once per message; it is not touched again by the caller. */
void settle(struct settler *settler, struct weir_message *msg,
            enum ending ending);

/* `msg` is not settled: it is tried again later; `why`, or NULL: as it says. */
void settle_later(struct settler *settler, const struct weir_message *msg,
                  const char *why);

/* Sends what was settled on its way; never waits. */
void settler_flush(struct settler *settler);

#endif
