/*
 * test_intake.c - drives a producer connector alone.
 *
 * Threads: one.
 */
#include "test_intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "test.h"

enum { TOPIC_SIZE = 100, PATIENCE_S = 10 };

struct source {
    bool is_begun, has_record;
    char topic[TOPIC_SIZE];
    uint64_t ticket; /* the last one */
};

struct weir_intake {
    const struct weir_producer_ops *ops;
    void *self;
    bool is_pulling;
    unsigned demand, taken; /* of the pull() under way */
    size_t room;
    struct test_record *records;
    size_t count, capacity, open;
    struct source sources[TEST_SOURCE_COUNT];
};

struct weir_intake *test_intake_create(const struct weir_producer_ops *ops)
{
    struct weir_intake *const intake = calloc(1, sizeof *intake);

    assert_non_null(intake);
    intake->ops = ops;
    intake->room = SIZE_MAX;
    intake->self = calloc(1, ops->self_size);
    assert_non_null(intake->self);
    return intake;
}

static void forget(struct weir_intake *intake)
{
    for (size_t i = 0; i < intake->count; i++) {
        free(intake->records[i].key);
        free(intake->records[i].payload);
    }
    intake->count = 0;
    intake->open = 0;
    memset(intake->sources, 0, sizeof intake->sources);
}

void test_intake_destroy(struct weir_intake *intake)
{
    if (!intake)
        return;
    forget(intake);
    free(intake->records);
    free(intake->self);
    free(intake);
}

void *test_intake_self(struct weir_intake *intake)
{
    return intake->self;
}

enum weir_status test_intake_pull(struct weir_intake *intake, unsigned demand,
                                  int64_t deadline_us, struct weir_error *err)
{
    enum weir_status status;

    intake->is_pulling = true;
    intake->demand = demand;
    intake->taken = 0;
    status = intake->ops->pull(intake->self, intake, demand, deadline_us, err);
    intake->is_pulling = false;
    if (deadline_us != CLOCK_NEVER_US)
        assert_true(clock_now_us() < deadline_us + CLOCK_SECOND_US);
    if (intake->taken > 0)
        assert_true(status == WEIR_OK || status == WEIR_RETRY ||
                    status == WEIR_FATAL);
    else
        assert_int_not_equal(status, WEIR_OK);
    return status;
}

void test_intake_pull_until(struct weir_intake *intake, unsigned demand,
                            size_t count)
{
    const int64_t deadline_us = clock_after_us(PATIENCE_S * CLOCK_SECOND_US);

    while (intake->count < count) {
        struct weir_error err = {0};
        const enum weir_status status =
            test_intake_pull(intake, demand, deadline_us, &err);

        if (status != WEIR_OK && status != WEIR_AGAIN)
            fail_msg("pull: %d %s", (int)status, err.text);
        assert_true(clock_now_us() < deadline_us);
    }
}

void test_intake_set_room(struct weir_intake *intake, size_t count)
{
    intake->room = count;
}

enum weir_status test_intake_settle(struct weir_intake *intake, size_t first,
                                    size_t count, enum weir_outcome outcome)
{
    const struct weir_settlement settlement = {
        .source = intake->records[first].source,
        .outcome = outcome,
        .first = intake->records[first].ticket,
        .count = count};

    for (size_t i = first; i < first + count; i++) {
        assert_false(intake->records[i].is_settled);
        assert_int_equal(intake->records[i].source, settlement.source);
        intake->records[i].is_settled = true;
        intake->open--;
    }
    return intake->ops->settle(intake->self, &settlement, 1, NULL);
}

void test_intake_close(struct weir_intake *intake)
{
    intake->ops->close(intake->self, clock_after_us(CLOCK_SECOND_US));
    forget(intake);
}

size_t test_intake_count(const struct weir_intake *intake)
{
    return intake->count;
}

const struct test_record *test_intake_record(const struct weir_intake *intake,
                                             size_t index)
{
    assert_true(index < intake->count);
    return &intake->records[index];
}

size_t test_intake_open_count(const struct weir_intake *intake)
{
    return intake->open;
}

bool test_intake_is_begun(const struct weir_intake *intake, uint32_t source)
{
    return source < TEST_SOURCE_COUNT && intake->sources[source].is_begun;
}

const char *test_intake_topic(const struct weir_intake *intake, uint32_t source)
{
    return intake->sources[source].topic;
}

enum weir_status weir_intake_begin(struct weir_intake *intake, uint32_t source,
                                   const struct weir_origin *origin)
{
    assert_true(intake->is_pulling);
    assert_true(source < TEST_SOURCE_COUNT);
    assert_false(intake->sources[source].is_begun);
    intake->sources[source] = (struct source){.is_begun = true};
    (void)snprintf(intake->sources[source].topic, TOPIC_SIZE, "%s",
                   origin->topic);
    return WEIR_OK;
}

static char *copy(struct weir_bytes bytes)
{
    char *const text = malloc(bytes.size + 1);

    assert_non_null(text);
    if (bytes.data)
        memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    return text;
}

static void keep(struct weir_intake *intake, uint32_t source,
                 const struct weir_record *record)
{
    if (intake->count == intake->capacity) {
        intake->capacity = intake->capacity == 0 ? 64 : intake->capacity * 2;
        intake->records = realloc(intake->records,
                                  intake->capacity * sizeof *intake->records);
        assert_non_null(intake->records);
    }
    intake->records[intake->count++] =
        (struct test_record){.source = source,
                             .ticket = record->ticket,
                             .offset = record->offset,
                             .timestamp_ms = record->timestamp_ms,
                             .deliveries = record->deliveries,
                             .has_key = record->key.data != NULL,
                             .has_payload = record->payload.data != NULL,
                             .key = copy(record->key),
                             .payload = copy(record->payload),
                             .key_size = record->key.size,
                             .payload_size = record->payload.size,
                             .omitted = record->omitted};
    intake->open++;
}

static void assert_field(const struct weir_producer_ops *ops, const char *name,
                         size_t size)
{
    const char *at = ops->fields;

    while (at && (strncmp(at, name, size) != 0 ||
                  (at[size] != '|' && at[size] != '\0'))) {
        at = strchr(at, '|');
        at = at ? at + 1 : NULL;
    }
    if (!at)
        fail_msg("%s offers %.*s, which its fields don't say", ops->name,
                 (int)size, name);
}

static void assert_fields_known(const struct weir_producer_ops *ops,
                                const struct weir_record *record)
{
    assert_field(ops, "topic", strlen("topic"));
    if (record->offset >= 0)
        assert_field(ops, "offset", strlen("offset"));
    if (record->timestamp_ms >= 0)
        assert_field(ops, "timestamp", strlen("timestamp"));
    if (record->key.data)
        assert_field(ops, "key", strlen("key"));
    if (record->header_count > 0)
        assert_field(ops, "header.", strlen("header."));
    for (size_t i = 0; i < record->property_count; i++)
        assert_field(ops, record->properties[i].name.data,
                     record->properties[i].name.size);
}

enum weir_status weir_intake_add(struct weir_intake *intake, uint32_t source,
                                 const struct weir_record *record)
{
    struct source *const from = &intake->sources[source];

    assert_true(intake->is_pulling);
    assert_true(source < TEST_SOURCE_COUNT && from->is_begun);
    assert_true(intake->taken < intake->demand);
    assert_true(record->omitted == 0 || !record->payload.data);
    assert_fields_known(intake->ops, record);
    if (intake->room == 0)
        return WEIR_RETRY;
    if (intake->room != SIZE_MAX)
        intake->room--;
    if (from->has_record)
        assert_true(record->ticket > from->ticket);
    from->has_record = true;
    from->ticket = record->ticket;
    keep(intake, source, record);
    intake->taken++;
    return WEIR_OK;
}

enum weir_status weir_intake_await(struct weir_intake *intake, uint32_t source,
                                   int64_t deadline_us)
{
    (void)deadline_us;
    assert_true(intake->is_pulling);
    for (size_t i = 0; i < intake->count; i++) {
        const struct test_record *const record = &intake->records[i];

        if (record->source == source && !record->is_settled)
            assert_int_equal(
                test_intake_settle(intake, i, 1, WEIR_OUTCOME_DONE), WEIR_OK);
    }
    return WEIR_OK;
}

void weir_intake_end(struct weir_intake *intake, uint32_t source)
{
    assert_true(intake->is_pulling);
    assert_true(intake->sources[source].is_begun);
    intake->sources[source].is_begun = false;
    for (size_t i = 0; i < intake->count; i++) {
        struct test_record *const record = &intake->records[i];

        if (record->source == source && !record->is_settled) {
            record->is_settled = true;
            intake->open--;
        }
    }
}

void weir_intake_set_lag(struct weir_intake *intake, uint32_t source,
                         int64_t lag)
{
    (void)lag;
    assert_true(intake->sources[source].is_begun);
}

void weir_intake_set_impediment(struct weir_intake *intake, const char *why)
{
    assert_true(intake->is_pulling);
    (void)why;
}

void weir_intake_set_starved(struct weir_intake *intake, uint32_t source)
{
    assert_true(intake->sources[source].is_begun);
}

void weir_intake_count_gap(struct weir_intake *intake, uint64_t missing)
{
    assert_true(intake->is_pulling);
    assert_true(missing > 0);
}
