/*
 * sample.c - a sample of the messages that end, or are tried again: for people.
 *
 * Threads: the one that asks.
 */
#include "sample.h"

#include <string.h>

#include "assembly.h"
#include "clock.h"
#include "dead_letter.h"

static const char *const outcomes[TAP_OUTCOME_COUNT] = {
    [TAP_DONE] = "done",         [TAP_RETRIED] = "retried",
    [TAP_REJECTED] = "rejected", [TAP_DEAD_LETTERED] = "dead_lettered",
    [TAP_REQUEUED] = "requeued", [TAP_ABANDONED] = "abandoned"};

unsigned sample_outcome(const char *name, size_t size)
{
    for (unsigned i = 0; i < TAP_OUTCOME_COUNT; i++) {
        if (strlen(outcomes[i]) == size && memcmp(outcomes[i], name, size) == 0)
            return 1U << i;
    }
    return 0;
}

unsigned sample_all_outcomes(void)
{
    return (1U << TAP_OUTCOME_COUNT) - 1;
}

enum weir_status pipeline_sample_ask(struct pipeline *pipeline, uint64_t id,
                                     const struct sample_wish *wish,
                                     uint64_t *ret_id)
{
    const struct tap_wish to = {.outcomes = wish->outcomes,
                                .rate = wish->rate,
                                .has_payload = wish->has_payload};

    return tap_ask(&pipeline->run.tap, id, &to, clock_now_us(), ret_id);
}

static struct sample_bytes bytes_of(const struct tap_bytes *from)
{
    return (struct sample_bytes){
        .data = from->data, .size = from->size, .kept = from->kept};
}

static void copy(const struct tap_entry *from, struct sampled *to)
{
    const bool has_failed = from->outcome == TAP_REJECTED ||
                            from->outcome == TAP_DEAD_LETTERED ||
                            from->outcome == TAP_REQUEUED;

    *to = (struct sampled){
        .wall_ms = from->wall_ms,
        .name = from->origin->topic,
        .partition = from->origin->partition,
        .position = from->position,
        .outcome = outcomes[from->outcome],
        .code = has_failed ? dead_letter_code(from->code) : NULL,
        .batcher = from->batcher,
        .reason = from->reason,
        .attempts = from->attempts,
        .deliveries = from->deliveries,
        .latency_us = from->latency_us,
        .size = from->size,
        .key = bytes_of(&from->key),
        .payload = bytes_of(&from->payload),
    };
}

size_t pipeline_sample_take(struct pipeline *pipeline, uint64_t id,
                            struct sampled out[SAMPLE_MAX],
                            uint64_t *ret_left_out)
{
    const struct tap_ring *ring =
        tap_take(&pipeline->run.tap, id, ret_left_out);

    _Static_assert((int)SAMPLE_MAX == (int)TAP_ROOM &&
                       (int)SAMPLE_RATE_MAX == (int)TAP_RATE_MAX,
                   "as much as is kept");
    for (size_t i = 0; i < ring->count; i++)
        copy(&ring->entries[i], &out[i]);
    return ring->count;
}
