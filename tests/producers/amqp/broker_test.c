/*
 * broker_test.c - a real RabbitMQ's queue, through the table of functions.
 */
#include "test.h"

#include <stdlib.h>

#include "amqp_producer.h"
#include "clock.h"
#include "real_broker.h"
#include "test_intake.h"
#include "test_settings.h"

enum { SKIPPED = 77 };

static const struct weir_producer_ops *const ops = &weir_amqp_producer;
static const char queue[] = "weir-test-amqp";
static const char *const classic[] = {NULL};
static const char *const quorum[] = {"x-queue-type", "quorum", NULL};

struct fixture {
    struct weir_settings *settings;
    struct weir_intake *intake;
    struct real_broker *broker;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->settings = test_settings_create(ops->options);
    test_settings_set(fixture->settings, "url", real_broker_url());
    test_settings_set(fixture->settings, "queue", queue);
    test_settings_share(fixture->settings)->in_flight = 100;
    test_settings_share(fixture->settings)->memory = 1024 * 1024 * 1024;
    fixture->intake = test_intake_create(ops);
    fixture->broker = real_broker_create();
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    test_intake_close(fixture->intake);
    test_intake_destroy(fixture->intake);
    test_settings_destroy(fixture->settings);
    real_broker_delete(fixture->broker, queue);
    real_broker_destroy(fixture->broker);
    free(fixture);
    return 0;
}

static void open_producer(const struct fixture *fixture)
{
    struct weir_error err = {.text = ""};

    if (ops->open(test_intake_self(fixture->intake), fixture->settings, &err) !=
        WEIR_OK)
        fail_msg("%s", err.text);
}

/* Drains as the runtime does, and closes. */
static void finish(const struct fixture *fixture)
{
    const int64_t deadline_us = clock_after_us(10 * CLOCK_SECOND_US);
    enum weir_status status = WEIR_AGAIN;
    struct weir_error err = {.text = ""};

    ops->drain(test_intake_self(fixture->intake));
    while (status == WEIR_AGAIN && clock_now_us() < deadline_us)
        status = test_intake_pull(fixture->intake, 0,
                                  clock_after_us(CLOCK_SECOND_US / 10), &err);
    assert_int_equal(status, WEIR_DONE);
    test_intake_close(fixture->intake);
}

static void consume_and_acknowledge(const struct fixture *fixture)
{
    real_broker_publish(fixture->broker, queue, 0, 250);
    open_producer(fixture);

    for (size_t taken = 0; taken < 250; taken += 50) {
        test_intake_pull_until(fixture->intake, 50, taken + 50);
        assert_int_equal(
            test_intake_settle(fixture->intake, taken, 50, WEIR_OUTCOME_DONE),
            WEIR_OK);
    }
    assert_string_equal(test_intake_record(fixture->intake, 249)->payload,
                        "249");
    assert_string_equal(test_intake_topic(fixture->intake, 0), queue);
    finish(fixture);

    assert_int_equal(real_broker_count(fixture->broker, queue), 0);
}

static void a_classic_queue_is_consumed_and_acknowledged(void **state)
{
    struct fixture *fixture = *state;

    real_broker_declare(fixture->broker, queue, classic);
    consume_and_acknowledge(fixture);
}

static void a_quorum_queue_is_consumed_and_acknowledged(void **state)
{
    struct fixture *fixture = *state;

    real_broker_declare(fixture->broker, queue, quorum);
    consume_and_acknowledge(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_classic_queue_is_consumed_and_acknowledged),
        TEST(a_quorum_queue_is_consumed_and_acknowledged),
    };

    if (!real_broker_is_there())
        return SKIPPED;
    return cmocka_run_group_tests_name("amqp_broker", tests, NULL, NULL);
}
