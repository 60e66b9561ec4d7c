/*
 * fake_intake.h - an intake that does what a test says.
 *
 * Unlike tests/support/test_intake.h it lets epochs end while messages are
 * open, holds, refuses, and remembers what it was told of each source.
 */
#ifndef WEIR_FAKE_INTAKE_H
#define WEIR_FAKE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/producer.h>

enum { FAKE_SOURCES = 32 };

struct fake_record {
    uint32_t source;
    uint64_t ticket;
    int64_t offset;
    int32_t partition;
    char topic[64], payload[64], key[32], header[64];
    size_t omitted;
    bool has_payload, is_settled;
};

struct weir_intake {
    const struct weir_producer_ops *ops;
    void *self;
    struct fake_record *records; /* everything that was taken */
    size_t count, room;
    size_t refuse_from; /* WEIR_RETRY from this many records on */
    size_t hold_at;     /* the record of this number is taken with WEIR_HOLD */
    bool settles_in_await;
    struct {
        char topic[64];
        int32_t partition;
        int64_t lag;
        unsigned starved;
        bool is_open, was_ended;
    } sources[FAKE_SOURCES];
    void (*on_await)(struct weir_intake *intake, void *opaque);
    void *opaque;
    unsigned begun, ended, awaited;
    uint64_t gaps;
    const char *impediment; /* that was said last; NULL: none */
};

/* A producer in a fake stage: `self` is allocated as the runtime would. */
void fake_intake_init(struct weir_intake *intake,
                      const struct weir_producer_ops *ops);
void fake_intake_finish(struct weir_intake *intake);

/* Forgets all records, after close(). */
void fake_intake_reset(struct weir_intake *intake);

/* Settles record `index` as done. */
void fake_intake_settle(struct weir_intake *intake, size_t index);
void fake_intake_settle_all(struct weir_intake *intake);

/* Pulls until `wanted` records were taken in all, or `seconds` passed. */
void fake_intake_pull(struct weir_intake *intake, size_t wanted,
                      unsigned seconds);

/* Pulls (with demand 0 when `demand` is) until WEIR_DONE, or `seconds`. */
enum weir_status fake_intake_pull_to_end(struct weir_intake *intake,
                                         unsigned demand, unsigned seconds);

#endif
