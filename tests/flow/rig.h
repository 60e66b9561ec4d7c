/*
 * rig.h - an intake, a ready queue and what comes back, without any thread.
 *
 * A test plays the connector (rig_begin(), rig_add(), what settle() was told)
 * and the workers (ready_take(), settle()).  Everything that was taken in must
 * have come back when the rig is destroyed, the ledger must balance whenever it
 * is looked at, and no memory may stay counted.
 */
#ifndef WEIR_TEST_RIG_H
#define WEIR_TEST_RIG_H

#include <stdbool.h>

#include "intake.h"
#include "ready.h"
#include "settle.h"

enum { RIG_SETTLEMENTS = 4096 };

struct rig {
    struct run run;
    struct ready *ready;
    struct weir_intake intake;
    struct settler settler;

    struct weir_settlement told[RIG_SETTLEMENTS]; /* to the connector */
    size_t told_count;
    enum weir_status settle_answer;
    uint32_t released[64];
    size_t released_count;
    _Atomic unsigned pokes, wakes;

    uint64_t next_ticket;
};

/* Two workers of up to 1024 messages each. */
struct rig *rig_create(enum weir_ordering ordering);
struct rig *rig_create_limited(enum weir_ordering ordering,
                               const struct ready_limits *limits);
void rig_destroy(struct rig *rig); /* NULL is fine */

/* Topic "t", the source's number as partition. */
void rig_begin(struct rig *rig, uint32_t source);

/* The next ticket, which is also its offset; its payload is its ticket. */
enum weir_status rig_add(struct rig *rig, uint32_t source, const char *key);
/* `count` without a key; each must be taken. */
void rig_add_many(struct rig *rig, uint32_t source, unsigned count);
/* And sends them on their way. */
void rig_offer(struct rig *rig, uint32_t source, unsigned count);

/* One that was offered, whoever is next; none in a callback. */
struct weir_message *rig_take_one(struct rig *rig);

/* All that waits, settled as `ending`, and told to the connector. */
void rig_finish_all(struct rig *rig, enum ending ending);
/* A hand that needs no retry. */
void rig_finish_hand(struct rig *rig, struct hand *hand, enum ending ending);
void rig_serve(struct rig *rig);

/* ---- hands ---- */

/* A hand of `count` messages, and at once. */
void rig_take(struct rig *rig, struct hand *hand, uint32_t count);
/* Tickets in a row. */
void rig_expect_tickets(const struct hand *hand, uint64_t first);
/* All but the last `back` are done; those return to their lane, which waits
 * until `due_us`. */
void rig_finish_holding(struct rig *rig, struct hand *hand, uint32_t count,
                        int64_t due_us);
void rig_expect_counts(struct rig *rig, uint32_t waiting, uint32_t in_hand);
/* Settles what was taken out. */
void rig_leave(struct rig *rig, struct mail_list *list);

/* The published ledger; it must balance. */
struct weir_ledger rig_ledger(struct rig *rig);

/* How many tickets of `source` were told with that outcome. */
uint64_t rig_told(const struct rig *rig, uint32_t source,
                  enum weir_outcome outcome);

#endif
