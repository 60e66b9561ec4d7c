/*
 * acks.h - turns settled messages into the fewest acknowledgement frames.
 *
 * One object per channel: delivery tags rise by one and end with the channel.
 */
#ifndef WEIR_PRODUCERS_AMQP_ACKS_H
#define WEIR_PRODUCERS_AMQP_ACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/producer.h>

struct acks;

enum acks_verb {
    ACKS_ACK = 0,
    ACKS_REJECT,  /* the broker discards or dead-letters it */
    ACKS_REQUEUE, /* basic.reject too; nack isn't counted by every broker */
    /* must stay last */
    ACKS_VERB_COUNT
};

/* One frame: `multiple` covers all tags up to `tag`; only with ACKS_ACK. */
struct acks_frame {
    enum acks_verb verb;
    bool multiple;
    uint64_t tag;
};

/* WEIR_OK: written to the socket.  Else the flush ends with that status, and
 * the frame is offered again by the next one. */
typedef enum weir_status (*acks_write_fn)(void *opaque,
                                          const struct acks_frame *frame,
                                          struct weir_error *err);

/* At most `prefetch` tags are unacknowledged at a time.  NULL: no memory. */
struct acks *acks_create(unsigned prefetch);
void acks_destroy(struct acks *acks); /* NULL is fine */

/* The broker delivered `tag`.  WEIR_RETRY: it may not have: tags don't rise,
 * or there are more than `prefetch`. */
WEIR_MUST_USE
enum weir_status acks_begin(struct acks *acks, uint64_t tag,
                            struct weir_error *err);

/* A requeue of the tag begun last becomes a discard, since the next delivery
 * may be the one that the broker drops. */
void acks_forbid_requeue(struct acks *acks);

/* Tags first .. first + count - 1, all begun and unsettled, ended so. */
void acks_settle(struct acks *acks, const struct weir_settlement *settlement,
                 int64_t now_us);

/* Likewise, of messages that nobody has handled: they are requeued, and those
 * that the broker might drop then are left to it. */
void acks_hand_back(struct acks *acks, const struct weir_settlement *settlement,
                    int64_t now_us);

enum acks_haste {
    ACKS_DUE = 0, /* what fills a frame well, or has waited 5 ms */
    ACKS_PREFIX,  /* also a short run that one frame covers */
    ACKS_ALL      /* everything that is settled */
};

/* Writes frames: rejects first, in the order of their tags. */
WEIR_MUST_USE
enum weir_status acks_flush(struct acks *acks, enum acks_haste haste,
                            int64_t now_us, acks_write_fn write, void *opaque,
                            struct weir_error *err);

/* When the next flush has to be; INT64_MAX: nothing waits. */
int64_t acks_due_us(const struct acks *acks);

/* Begun and not settled; settled and not written; neither written (what the
 * broker counts against the prefetch; with those that are left to it). */
size_t acks_open(const struct acks *acks);
size_t acks_waiting(const struct acks *acks);
size_t acks_unwritten(const struct acks *acks);

#endif
