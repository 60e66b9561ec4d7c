/*
 * kafka_parcel.h - the batches that a writer has, message by message.
 */
#ifndef WEIR_KAFKA_PARCEL_H
#define WEIR_KAFKA_PARCEL_H

#include <stddef.h>
#include <stdint.h>

#include <weir/batch.h>

enum kafka_letter_state {
    KAFKA_LETTER_HERE = 0, /* to be sent */
    KAFKA_LETTER_AWAY,     /* the client has it */
    KAFKA_LETTER_OVER      /* has its outcome, or is part of the run */
};

/* One message; its address is what the client brings back in its report. */
struct kafka_letter {
    struct kafka_parcel *parcel;
    size_t size; /* of key, payload and headers */
    size_t cost; /* while away: what the client holds for it */
    uint32_t index;
    enum kafka_letter_state state;
};

/* One batch. */
struct kafka_parcel {
    struct kafka_parcel *next;
    struct weir_batch *batch;
    uint32_t count, capacity;
    uint32_t open; /* without an outcome */
    uint32_t here; /* to be sent, none of them before `next_index` */
    uint32_t next_index;
    struct kafka_letter letters[];
};

/* In the order in which they were written.  Zeroed is ready. */
struct kafka_parcels {
    struct kafka_parcel *head, *tail, *spare;
    struct {
        struct kafka_parcel *parcel; /* NULL: empty */
        uint32_t first, count;
    } run;            /* delivered, and not yet said so */
    uint32_t settled; /* outcomes, for whoever counts */
    uint32_t here;    /* of all of them */
};

/* WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status kafka_parcels_add(struct kafka_parcels *parcels,
                                   struct weir_batch *batch);

/* The oldest message to be sent; NULL: none. */
struct kafka_letter *kafka_parcels_next(const struct kafka_parcels *parcels);

/* The client has taken it; it comes back undelivered, to be sent again. */
void kafka_parcels_sent(struct kafka_parcels *parcels,
                        struct kafka_letter *letter);
void kafka_parcels_returned(struct kafka_parcels *parcels,
                            struct kafka_letter *letter);

/* Of a letter that is here or away.  That it was delivered is said later, with
 * its neighbours: by kafka_parcels_say(). */
void kafka_parcels_delivered(struct kafka_parcels *parcels,
                             struct kafka_letter *letter);
void kafka_parcels_reject(struct kafka_parcels *parcels,
                          struct kafka_letter *letter, const char *reason);
void kafka_parcels_say(struct kafka_parcels *parcels);

/* Forgets all of them; batches that are not over are the runtime's again. */
void kafka_parcels_finish(struct kafka_parcels *parcels);

#endif
