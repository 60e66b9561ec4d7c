/*
 * intake.h - what a producer took in and has not settled: the runtime's side of
 * <weir/intake.h>.
 */
#ifndef WEIR_FLOW_INTAKE_H
#define WEIR_FLOW_INTAKE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <weir/intake.h>
#include <weir/pipeline.h>
#include <weir/producer.h>

#include "live.h"
#include "mailbox.h"
#include "message.h"
#include "ready.h"
#include "survey.h"
#include "template.h"

enum { INTAKE_SETTLEMENTS = 256 };

struct weir_intake {
    struct run *run;
    struct ready *ready;
    unsigned home;
    struct mailbox box;         /* what comes back */
    struct waiter waiter;       /* asleep in the connector */
    struct waiter plain_waiter; /* asleep here */

    /* This instance's part of the ledger.  None is computed from the others.
     * The producer books in `books`; all five are published together. */
    struct weir_ledger books, published;
    pthread_mutex_t published_lock;

    const struct template *ordering_key;
    bool can_hold;  /* the connector has several sources */
    bool has_begun; /* a source did, since they were looked at */

    struct epoch **epochs; /* by source; NULL: none */
    uint32_t epoch_capacity, live;
    struct epoch *ended; /* with open tickets or ghosts */
    struct origin *origins;
    uint32_t held;
    uint64_t unkeyed; /* makes lanes of messages without a key differ */

    struct chunk *chunk;     /* the open one, or NULL */
    uint32_t sent;           /* its slots that left */
    struct mail_list unsent; /* collected, or no memory for their lanes */
    uint64_t round;          /* rises when they are sent */
    struct live on_the_way;  /* chunks that are not free */
    struct chunk *free_chunks;
    uint32_t free_count;
    uint32_t offered; /* in this pull() */
    uint64_t offered_bytes;
    int64_t now_us; /* looked at every CLOCK_MESSAGES of them */
    bool is_full;   /* the budget is used up */

    /* The connector. */
    enum weir_status (*settle)(void *self, const struct weir_settlement *list,
                               size_t count, struct weir_error *err);
    void (*describe)(const void *self, uint32_t source,
                     struct weir_source_facts *facts); /* NULL: not asked */
    void *self;
    struct weir_settlement settlements[INTAKE_SETTLEMENTS];
    size_t settlement_count;
    enum weir_status settle_status;
    struct weir_error settle_error;

    _Atomic(const char *) impediment; /* the connector's; or NULL */
    _Atomic int64_t lag;
    _Atomic bool has_lag;
    struct survey survey; /* of its sources, for others */
};

/* `waiter_wake` ends the connector's sleep. */
void intake_init(struct weir_intake *intake, struct run *run,
                 struct ready *ready, unsigned home,
                 void (*waiter_wake)(void *opaque), void *opaque);
/* What is still in flight is forgotten; its memory with it. */
void intake_finish(struct weir_intake *intake);

/* How many records pull() may offer now. */
uint32_t intake_demand(struct weir_intake *intake);

/* Sends what was offered on its way. */
void intake_flush(struct weir_intake *intake);

/* Books what came back and tells the connector.  What it answers is returned:
 * WEIR_OK, WEIR_RETRY, WEIR_FATAL. */
WEIR_MUST_USE
enum weir_status intake_serve(struct weir_intake *intake,
                              struct weir_error *err);

/* Sources that have more than their share since another one began; calls `hold`
 * for each. */
void intake_hold(struct weir_intake *intake,
                 void (*hold)(void *self, uint32_t source));

/* Sources that were held and may go on; calls `release` for each. */
void intake_release(struct weir_intake *intake,
                    void (*release)(void *self, uint32_t source));

/* The last published ledger; any thread. */
void intake_ledger(struct weir_intake *intake, struct weir_ledger *ret_ledger);

/* Ends every epoch: the connection is gone. */
void intake_end_all(struct weir_intake *intake);

/* The origin of one message that is still in flight, for the report of a
 * leak; false: there is none. */
bool intake_name_open(const struct weir_intake *intake, char *out, size_t size);

#endif
