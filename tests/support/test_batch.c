/*
 * test_batch.c - a batch of messages made by hand.
 *
 * Threads: one.
 */
#include "test_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { REASON_SIZE = 200 };

struct weir_message {
    struct test_message read;
    bool is_settled;
    enum weir_status status;
    char reason[REASON_SIZE];
};

struct weir_batch {
    size_t count, open;
    struct weir_message messages[];
};

struct weir_batch *test_batch_create(const struct test_message *messages,
                                     size_t count)
{
    struct weir_batch *const batch =
        calloc(1, sizeof *batch + count * sizeof batch->messages[0]);

    assert_non_null(batch);
    batch->count = count;
    batch->open = count;
    for (size_t i = 0; i < count; i++)
        batch->messages[i].read = messages[i];
    return batch;
}

struct weir_batch *test_batch_of(const char *const *payloads)
{
    struct weir_batch *batch;
    size_t count = 0;

    while (payloads[count])
        count++;
    batch = calloc(1, sizeof *batch + count * sizeof batch->messages[0]);
    assert_non_null(batch);
    batch->count = count;
    batch->open = count;
    for (size_t i = 0; i < count; i++)
        batch->messages[i].read =
            (struct test_message){.topic = "t",
                                  .offset = (int64_t)i,
                                  .payload = weir_str(payloads[i])};
    return batch;
}

struct weir_batch *test_batch_rest(const struct weir_batch *batch)
{
    struct weir_batch *const rest =
        calloc(1, sizeof *rest + batch->open * sizeof rest->messages[0]);

    assert_non_null(rest);
    for (size_t i = 0; i < batch->count; i++) {
        if (!batch->messages[i].is_settled)
            rest->messages[rest->count++].read = batch->messages[i].read;
    }
    rest->open = rest->count;
    return rest;
}

void test_batch_destroy(struct weir_batch *batch)
{
    free(batch);
}

size_t test_batch_open_count(const struct weir_batch *batch)
{
    return batch->open;
}

bool test_batch_has_outcome(const struct weir_batch *batch, size_t index)
{
    return batch->messages[index].is_settled;
}

enum weir_status test_batch_outcome(const struct weir_batch *batch,
                                    size_t index)
{
    assert_true(batch->messages[index].is_settled);
    return batch->messages[index].status;
}

const char *test_batch_reason(const struct weir_batch *batch, size_t index)
{
    return batch->messages[index].reason;
}

size_t weir_batch_count(const struct weir_batch *batch)
{
    return batch->count;
}

struct weir_message *weir_batch_message(struct weir_batch *batch, size_t index)
{
    assert_in_range(index, 0, batch->count - 1);
    return &batch->messages[index];
}

struct weir_bytes weir_batch_key(const struct weir_batch *batch)
{
    return batch->messages[0].read.batch_key;
}

const char *weir_batch_batcher(const struct weir_batch *batch)
{
    (void)batch;
    return "default";
}

void weir_batch_set_outcome(struct weir_batch *batch, size_t first,
                            size_t count, enum weir_status status,
                            const char *reason)
{
    assert_in_range(first + count, 1, batch->count);
    assert_true(status == WEIR_OK || status == WEIR_RETRY ||
                status == WEIR_REJECT);
    for (size_t i = first; i < first + count; i++) {
        struct weir_message *const msg = &batch->messages[i];

        assert_false(msg->is_settled);
        msg->is_settled = true;
        msg->status = status;
        (void)snprintf(msg->reason, sizeof msg->reason, "%s",
                       reason ? reason : "");
        batch->open--;
    }
}

struct weir_bytes weir_message_payload(const struct weir_message *msg)
{
    return msg->read.payload;
}

struct weir_bytes weir_message_key(const struct weir_message *msg)
{
    return msg->read.key;
}

size_t weir_message_header_count(const struct weir_message *msg)
{
    return msg->read.header_count;
}

struct weir_header weir_message_header(const struct weir_message *msg,
                                       size_t index)
{
    return msg->read.headers[index];
}

static struct weir_bytes find_last(const struct weir_header *fields,
                                   size_t count, const char *name)
{
    for (size_t i = count; i > 0; i--) {
        const struct weir_header *const field = &fields[i - 1];

        if (field->name.size == strlen(name) &&
            memcmp(field->name.data, name, field->name.size) == 0)
            return field->value;
    }
    return (struct weir_bytes){0};
}

struct weir_bytes weir_message_find_header(const struct weir_message *msg,
                                           const char *name)
{
    return find_last(msg->read.headers, msg->read.header_count, name);
}

const char *weir_message_topic(const struct weir_message *msg)
{
    return msg->read.topic ? msg->read.topic : "";
}

int32_t weir_message_partition(const struct weir_message *msg)
{
    return msg->read.partition;
}

int64_t weir_message_offset(const struct weir_message *msg)
{
    return msg->read.offset;
}

int64_t weir_message_timestamp_ms(const struct weir_message *msg)
{
    return msg->read.timestamp_ms;
}

struct weir_bytes weir_message_property(const struct weir_message *msg,
                                        const char *name)
{
    return find_last(msg->read.properties, msg->read.property_count, name);
}

uint32_t weir_message_deliveries(const struct weir_message *msg)
{
    (void)msg;
    return 0;
}

uint32_t weir_message_attempt(const struct weir_message *msg)
{
    (void)msg;
    return 1;
}

struct weir_bytes weir_message_batch_key(const struct weir_message *msg)
{
    return msg->read.batch_key;
}

const char *weir_message_reason(const struct weir_message *msg)
{
    (void)msg;
    return "";
}

bool weir_message_is_draining(const struct weir_message *msg)
{
    (void)msg;
    return false;
}
