/*
 * fake_intake.c - an intake that does what a test says.
 *
 * Threads: the test's.
 */
#include "fake_intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "invariant.h"

enum { SLICE_MS = 50, DEMAND = 64 };

void fake_intake_init(struct weir_intake *intake,
                      const struct weir_producer_ops *ops)
{
    *intake = (struct weir_intake){
        .ops = ops, .refuse_from = SIZE_MAX, .hold_at = SIZE_MAX};
    intake->self = calloc(1, ops->self_size);
    INVARIANT(intake->self);
}

void fake_intake_finish(struct weir_intake *intake)
{
    free(intake->self);
    free(intake->records);
}

void fake_intake_reset(struct weir_intake *intake)
{
    intake->count = 0;
    intake->begun = intake->ended = 0;
}

enum weir_status weir_intake_begin(struct weir_intake *intake, uint32_t source,
                                   const struct weir_origin *origin)
{
    INVARIANT(source < FAKE_SOURCES && !intake->sources[source].is_open);
    (void)snprintf(intake->sources[source].topic,
                   sizeof intake->sources[source].topic, "%s", origin->topic);
    intake->sources[source].partition = origin->partition;
    intake->sources[source].is_open = true;
    intake->begun++;
    return WEIR_OK;
}

static void copy_text(char *out, size_t size, struct weir_bytes bytes)
{
    (void)snprintf(out, size, "%.*s", (int)bytes.size,
                   bytes.data ? (const char *)bytes.data : "");
}

static struct fake_record *new_record(struct weir_intake *intake)
{
    if (intake->count == intake->room) {
        intake->room = intake->room ? 2 * intake->room : 1024;
        intake->records =
            realloc(intake->records, intake->room * sizeof *intake->records);
        INVARIANT(intake->records);
    }
    intake->records[intake->count] = (struct fake_record){0};
    return &intake->records[intake->count++];
}

enum weir_status weir_intake_add(struct weir_intake *intake, uint32_t source,
                                 const struct weir_record *record)
{
    struct fake_record *taken;

    INVARIANT(intake->sources[source].is_open);
    if (intake->count >= intake->refuse_from)
        return WEIR_RETRY;
    taken = new_record(intake);
    taken->source = source;
    taken->ticket = record->ticket;
    taken->offset = record->offset;
    taken->partition = intake->sources[source].partition;
    taken->omitted = record->omitted;
    taken->has_payload = record->payload.data != NULL;
    memcpy(taken->topic, intake->sources[source].topic, sizeof taken->topic);
    copy_text(taken->payload, sizeof taken->payload, record->payload);
    copy_text(taken->key, sizeof taken->key, record->key);
    if (record->header_count > 0)
        copy_text(taken->header, sizeof taken->header,
                  record->headers[0].value);
    return intake->count - 1 == intake->hold_at ? WEIR_HOLD : WEIR_OK;
}

void fake_intake_settle(struct weir_intake *intake, size_t index)
{
    struct fake_record *record = &intake->records[index];
    struct weir_settlement run = {.source = record->source,
                                  .outcome = WEIR_OUTCOME_DONE,
                                  .first = record->ticket,
                                  .count = 1};

    INVARIANT(!record->is_settled);
    record->is_settled = true;
    INVARIANT(intake->ops->settle(intake->self, &run, 1, NULL) == WEIR_OK);
}

void fake_intake_settle_all(struct weir_intake *intake)
{
    for (size_t i = 0; i < intake->count; i++)
        if (!intake->records[i].is_settled)
            fake_intake_settle(intake, i);
}

enum weir_status weir_intake_await(struct weir_intake *intake, uint32_t source,
                                   int64_t deadline_us)
{
    enum weir_status status = WEIR_OK;

    (void)deadline_us;
    intake->awaited++;
    if (intake->on_await)
        intake->on_await(intake, intake->opaque);
    for (size_t i = 0; i < intake->count; i++) {
        if (intake->records[i].source != source ||
            intake->records[i].is_settled)
            continue;
        if (intake->settles_in_await)
            fake_intake_settle(intake, i);
        else
            status = WEIR_AGAIN;
    }
    return status;
}

/* What is open is fenced: it can't be settled any more. */
void weir_intake_end(struct weir_intake *intake, uint32_t source)
{
    INVARIANT(intake->sources[source].is_open);
    intake->sources[source].is_open = false;
    intake->sources[source].was_ended = true;
    intake->ended++;
    for (size_t i = 0; i < intake->count; i++)
        if (intake->records[i].source == source)
            intake->records[i].is_settled = true;
}

void weir_intake_set_lag(struct weir_intake *intake, uint32_t source,
                         int64_t lag)
{
    intake->sources[source].lag = lag;
}

void weir_intake_set_impediment(struct weir_intake *intake, const char *why)
{
    intake->impediment = why;
}

void weir_intake_set_starved(struct weir_intake *intake, uint32_t source)
{
    intake->sources[source].starved++;
}

void weir_intake_count_gap(struct weir_intake *intake, uint64_t missing)
{
    intake->gaps += missing;
}

void fake_intake_pull(struct weir_intake *intake, size_t wanted,
                      unsigned seconds)
{
    const int64_t deadline_us = clock_after_us(seconds * CLOCK_SECOND_US);
    struct weir_error err = {0};

    while (intake->count < wanted && clock_now_us() < deadline_us) {
        const size_t left = wanted - intake->count;
        const enum weir_status status = intake->ops->pull(
            intake->self, intake, left < DEMAND ? (unsigned)left : DEMAND,
            clock_after_us(SLICE_MS * INT64_C(1000)), &err);

        INVARIANT(status == WEIR_OK || status == WEIR_AGAIN ||
                  status == WEIR_DONE);
    }
}

enum weir_status fake_intake_pull_to_end(struct weir_intake *intake,
                                         unsigned demand, unsigned seconds)
{
    const int64_t deadline_us = clock_after_us(seconds * CLOCK_SECOND_US);
    enum weir_status status = WEIR_AGAIN;
    struct weir_error err = {0};

    while ((status == WEIR_AGAIN || status == WEIR_OK) &&
           clock_now_us() < deadline_us) {
        status =
            intake->ops->pull(intake->self, intake, demand,
                              clock_after_us(SLICE_MS * INT64_C(1000)), &err);
        if (demand > 0)
            fake_intake_settle_all(intake);
    }
    return status;
}
