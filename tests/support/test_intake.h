/*
 * test_intake.h - drives a producer connector alone.
 *
 * Implements weir_intake_*() and plays the stage: pulls, keeps what was
 * offered, settles.  What breaks a rule of <weir/producer.h> fails the test.
 */
#ifndef WEIR_TEST_INTAKE_H
#define WEIR_TEST_INTAKE_H

#include <stdbool.h>

#include <weir/producer.h>

enum { TEST_SOURCE_COUNT = 64 };

struct test_record {
    uint32_t source;
    uint64_t ticket;
    int64_t offset, timestamp_ms;
    uint32_t deliveries;
    bool has_key, has_payload;
    char *key, *payload; /* each with a NUL behind it */
    size_t key_size, payload_size, omitted;
    bool is_settled;
};

/* New; the connector's self included, zeroed.  `ops` is borrowed. */
struct weir_intake *test_intake_create(const struct weir_producer_ops *ops);
void test_intake_destroy(struct weir_intake *intake);
void *test_intake_self(struct weir_intake *intake);

/* Pulls once, and checks: no more than `demand`, WEIR_OK when and only when
 * something was taken, back in time (`deadline_us` and a second). */
enum weir_status test_intake_pull(struct weir_intake *intake, unsigned demand,
                                  int64_t deadline_us, struct weir_error *err);

/* Pulls `demand` at a time until `count` records are there in all, for at most
 * ten seconds. */
void test_intake_pull_until(struct weir_intake *intake, unsigned demand,
                            size_t count);

/* Takes `count` more records and then answers WEIR_RETRY; SIZE_MAX: no limit.
 */
void test_intake_set_room(struct weir_intake *intake, size_t count);

/* Settles records first .. first + count - 1, of one source. */
enum weir_status test_intake_settle(struct weir_intake *intake, size_t first,
                                    size_t count, enum weir_outcome outcome);

/* Closes the connector; epochs end, records are forgotten. */
void test_intake_close(struct weir_intake *intake);

size_t test_intake_count(const struct weir_intake *intake);
const struct test_record *test_intake_record(const struct weir_intake *intake,
                                             size_t index);
size_t test_intake_open_count(const struct weir_intake *intake);
bool test_intake_is_begun(const struct weir_intake *intake, uint32_t source);
const char *test_intake_topic(const struct weir_intake *intake,
                              uint32_t source);

#endif
