/*
 * test_batch.h - a batch of messages made by hand.
 *
 * Implements weir_batch_*() and weir_message_*() (reading), for tests that
 * drive a sink alone.  An outcome that is set twice, or for a message that
 * isn't there, fails the test.
 */
#ifndef WEIR_TEST_BATCH_H
#define WEIR_TEST_BATCH_H

#include <stdbool.h>

#include <weir/batch.h>

/* Zeroed: an empty topic, offset 0, absent key, payload and batch key. */
struct test_message {
    const char *topic;
    int32_t partition;
    int64_t offset, timestamp_ms;
    struct weir_bytes key, payload, batch_key;
    const struct weir_header *headers;
    size_t header_count;
    const struct weir_header *properties;
    size_t property_count;
};

/* New; copies `messages` but borrows what they point to. */
struct weir_batch *test_batch_create(const struct test_message *messages,
                                     size_t count);
/* Messages of topic "t", partition 0, offsets from 0; NULL ends. */
struct weir_batch *test_batch_of(const char *const *payloads);
/* Those of `batch` that have no outcome, as the runtime writes them again. */
struct weir_batch *test_batch_rest(const struct weir_batch *batch);
void test_batch_destroy(struct weir_batch *batch);

size_t test_batch_open_count(const struct weir_batch *batch);
bool test_batch_has_outcome(const struct weir_batch *batch, size_t index);
/* Only where there is one. */
enum weir_status test_batch_outcome(const struct weir_batch *batch,
                                    size_t index);
const char *test_batch_reason(const struct weir_batch *batch, size_t index);

#endif
