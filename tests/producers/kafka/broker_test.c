/*
 * broker_test.c - the Kafka producer against a real broker.
 *
 * Needs WEIR_KAFKA=host:port.  Every test has a topic and a group of its own.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "clock.h"
#include "fake_runtime.h"
#include "kafka_producer.h"

enum { WAIT_S = 30 };

/* A member of a group, and the topic that it reads. */
struct member {
    struct weir_settings settings;
    struct weir_intake intake;
    char topic[80], group[80];
    const char *address;
    bool is_open;
};

static int setup(void **state)
{
    struct member *member = calloc(1, sizeof *member);

    if (!member)
        return -1;
    member->address = broker_address();
    broker_unique_name("group", member->group, sizeof member->group);
    fake_settings_init(&member->settings, weir_kafka_producer.options);
    fake_settings_set(&member->settings, "brokers", member->address);
    fake_settings_set(&member->settings, "group", member->group);
    fake_settings_set(&member->settings, "commit_interval", "50ms");
    fake_intake_init(&member->intake, &weir_kafka_producer);
    *state = member;
    return 0;
}

static void make_topic(struct member *member, int partitions)
{
    broker_create_topic(member->address, partitions, member->topic,
                        sizeof member->topic);
    fake_settings_set(&member->settings, "topics", member->topic);
}

static void open_member(struct member *member)
{
    struct weir_error err = {0};
    enum weir_status status =
        weir_kafka_producer.open(member->intake.self, &member->settings, &err);

    if (status != WEIR_OK)
        print_error("open: %s\n", err.text);
    assert_int_equal(status, WEIR_OK);
    member->is_open = true;
}

static void close_member(struct member *member)
{
    weir_kafka_producer.close(member->intake.self,
                              clock_after_us(10 * CLOCK_SECOND_US));
    for (size_t i = 0; i < FAKE_SOURCES; i++)
        member->intake.sources[i].is_open = false;
    member->is_open = false;
}

static int teardown(void **state)
{
    struct member *member = *state;

    if (member->is_open)
        close_member(member);
    fake_intake_finish(&member->intake);
    free(member);
    return 0;
}

static int64_t committed(const struct member *member, int32_t partition)
{
    return broker_committed(member->address, member->group, member->topic,
                            partition);
}

static void everything_is_consumed_and_committed(void **state)
{
    struct member *member = *state;

    make_topic(member, 3);
    for (int32_t partition = 0; partition < 3; partition++)
        broker_produce(member->address, member->topic, partition, "m", 0, 1000);
    open_member(member);

    fake_intake_pull(&member->intake, 3000, WAIT_S);
    assert_int_equal(member->intake.count, 3000);
    fake_intake_settle_all(&member->intake);
    weir_kafka_producer.drain(member->intake.self);
    assert_int_equal(fake_intake_pull_to_end(&member->intake, 0, WAIT_S),
                     WEIR_DONE);
    close_member(member);

    for (int32_t partition = 0; partition < 3; partition++)
        assert_int_equal(committed(member, partition), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_is_consumed_and_committed),
    };
    (void)broker_address();
    return cmocka_run_group_tests_name("kafka_broker", tests, NULL, NULL);
}
