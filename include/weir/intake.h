/*
 * weir/intake.h - where a producer connector puts what it read.
 *
 * All calls: only inside pull(), on the producer's thread.
 */
#ifndef WEIR_INTAKE_H
#define WEIR_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/bytes.h>
#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_intake; /* opaque: flow/intake.c */

/* Where the records of a source come from; copied. */
struct weir_origin {
    const char *topic; /* or queue */
    int32_t partition; /* -1: none */
};

/* What a producer offers; all borrowed until weir_intake_add() returns. */
struct weir_record {
    uint64_t ticket;      /* the connector's own: watermark ticket, delivery
                             tag; rises by one within an epoch for runs */
    int64_t offset;       /* -1: none */
    int64_t timestamp_ms; /* -1: none */
    uint32_t deliveries;  /* earlier ones that the broker counted */
    bool is_last;         /* requeued, the broker would drop it: rejected */
    struct weir_bytes key;
    struct weir_bytes payload;
    size_t omitted; /* > 0: the size of a payload that was too large to take;
                       `payload` is absent and no handler will see it */
    const struct weir_header *headers;
    size_t header_count;
    const struct weir_header *properties; /* weir_message_property() */
    size_t property_count;
};

/* Begins an epoch of `source`, a small number of the connector's choice. */
WEIR_MUST_USE
enum weir_status weir_intake_begin(struct weir_intake *intake, uint32_t source,
                                   const struct weir_origin *origin);

/*
 * Copies the record.  WEIR_OK; WEIR_HOLD: taken, now offer nothing of this
 * source until release(); WEIR_RETRY: no room, not taken, offer it again in
 * the next pull().
 */
WEIR_MUST_USE
enum weir_status weir_intake_add(struct weir_intake *intake, uint32_t source,
                                 const struct weir_record *record);

/*
 * Abandons what no callback has begun, closes the source's open batches, then
 * hands out settlements, by calling settle() on this thread, until nothing of
 * `source` is open.  WEIR_AGAIN when the deadline came first.
 */
WEIR_MUST_USE
enum weir_status weir_intake_await(struct weir_intake *intake, uint32_t source,
                                   int64_t deadline_us);

/* Ends the epoch: what no callback has begun is abandoned, the rest is fenced
 * when it returns; settle() hears of neither.  close() ends all epochs. */
void weir_intake_end(struct weir_intake *intake, uint32_t source);

/* How many records of the source are still at the broker, for people. */
void weir_intake_set_lag(struct weir_intake *intake, uint32_t source,
                         int64_t lag);

/* Why nothing comes in, though open() was fine and the connector goes on by
 * itself: no broker answers, the group has given it no partition yet.  A static
 * text, for people and readiness; NULL: nothing is in the way. */
void weir_intake_set_impediment(struct weir_intake *intake, const char *why);

/* The source is at its limit of unsettled records: batches that wait for more
 * of it close early.  Until the next weir_intake_add() of that source. */
void weir_intake_set_starved(struct weir_intake *intake, uint32_t source);

/* Records that the broker no longer had (retention, truncation). */
void weir_intake_count_gap(struct weir_intake *intake, uint64_t missing);

#ifdef __cplusplus
}
#endif

#endif
