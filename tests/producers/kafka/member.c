/*
 * member.c - a Kafka producer with its settings, as the broker tests drive it.
 *
 * Threads: the test's.
 */
#include "member.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "clock.h"
#include "kafka_producer.h"

enum { WAIT_S = 30, SLICE_MS = 20 };

struct member *member_create(const char *address, const struct member *other)
{
    struct member *member = calloc(1, sizeof *member);

    assert_non_null(member);
    member->address = address;
    member->settings = test_settings_create(weir_kafka_producer.options);
    member->share = test_settings_share(member->settings);
    member->share->memory = (size_t)64 << 20;
    member->share->pipeline = "test";
    if (other)
        (void)snprintf(member->group, sizeof member->group, "%s", other->group);
    else
        broker_unique_name("group", member->group, sizeof member->group);
    test_settings_set(member->settings, "brokers", address);
    test_settings_set(member->settings, "group", member->group);
    test_settings_set(member->settings, "commit_interval", "50ms");
    if (other) {
        memcpy(member->topic, other->topic, sizeof member->topic);
        test_settings_set(member->settings, "topics", member->topic);
    }
    fake_intake_init(&member->intake, &weir_kafka_producer);
    return member;
}

void member_destroy(struct member *member)
{
    if (!member)
        return;
    if (member->is_open)
        member_close(member);
    fake_intake_finish(&member->intake);
    test_settings_destroy(member->settings);
    free(member);
}

void member_make_topic(struct member *member, int partitions)
{
    broker_create_topic(member->address, partitions, member->topic,
                        sizeof member->topic);
    test_settings_set(member->settings, "topics", member->topic);
}

void member_open(struct member *member)
{
    const int64_t deadline_us = clock_after_us(WAIT_S * CLOCK_SECOND_US);
    struct weir_error err = {0};
    enum weir_status status;

    do {
        status = weir_kafka_producer.open(member->intake.self, member->settings,
                                          &err);
        if (status == WEIR_RETRY)
            member_close(member);
    } while (status == WEIR_RETRY && clock_now_us() < deadline_us);
    if (status != WEIR_OK)
        fail_msg("open: %s", err.text);
    member->is_open = true;
}

void member_close(struct member *member)
{
    weir_kafka_producer.close(member->intake.self,
                              clock_after_us(10 * CLOCK_SECOND_US));
    for (size_t i = 0; i < FAKE_SOURCES; i++)
        member->intake.sources[i].is_open = false;
    member->is_open = false;
}

void member_finish(struct member *member)
{
    fake_intake_settle_all(&member->intake);
    weir_kafka_producer.drain(member->intake.self);
    assert_int_equal(fake_intake_pull_to_end(&member->intake, 0, WAIT_S),
                     WEIR_DONE);
    member_close(member);
}

void member_join(struct member *member, unsigned count)
{
    const int64_t deadline_us = clock_after_us(WAIT_S * CLOCK_SECOND_US);
    struct weir_error err = {0};

    while (member->intake.begun < count) {
        assert_true(clock_now_us() < deadline_us);
        assert_int_equal(weir_kafka_producer.pull(
                             member->intake.self, &member->intake, 0,
                             clock_after_us(SLICE_MS * INT64_C(1000)), &err),
                         WEIR_AGAIN);
    }
}

int64_t member_committed(const struct member *member, int32_t partition)
{
    return broker_committed(member->address, member->group, member->topic,
                            partition);
}
