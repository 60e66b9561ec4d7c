/*
 * outage_test.c - a RabbitMQ of our own that stops, freezes and dies.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amqp_producer.h"
#include "clock.h"
#include "own_node.h"
#include "real_broker.h"
#include "test_intake.h"
#include "test_settings.h"

enum { SKIPPED = 77, COUNT = 100, PATIENCE_S = 60 };

static const struct weir_producer_ops *const ops = &weir_amqp_producer;
static const char queue[] = "weir-test-outage";
static const char *const quorum[] = {"x-queue-type", "quorum", NULL};
static struct own_node node;

struct fixture {
    struct weir_settings *settings;
    struct weir_intake *intake;
};

static void brokers(const char *verb)
{
    own_node_do(&node, verb);
}

static int start_node(void **state)
{
    (void)state;
    own_node_start(&node, "rabbitmq", "");
    return 0;
}

static int stop_node(void **state)
{
    (void)state;
    own_node_end(&node);
    return 0;
}

/* A queue with messages "0" to "99". */
static void declare(const char *const *arguments)
{
    struct real_broker *broker = real_broker_create();

    real_broker_declare(broker, queue, arguments);
    real_broker_publish(broker, queue, 0, COUNT);
    real_broker_destroy(broker);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    declare(quorum);
    fixture->settings = test_settings_create(ops->options);
    test_settings_set(fixture->settings, "url", real_broker_url());
    test_settings_set(fixture->settings, "queue", queue);
    test_settings_set(fixture->settings, "heartbeat", "2s");
    test_settings_share(fixture->settings)->in_flight = COUNT;
    test_settings_share(fixture->settings)->memory = (size_t)1 << 30;
    fixture->intake = test_intake_create(ops);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    test_intake_close(fixture->intake);
    test_intake_destroy(fixture->intake);
    test_settings_destroy(fixture->settings);
    free(fixture);
    return 0;
}

/* As the runtime: closes and opens until it works. */
static void open_again(const struct fixture *fixture)
{
    const int64_t deadline_us = clock_after_us(PATIENCE_S * CLOCK_SECOND_US);
    struct weir_error err = {.text = ""};

    while (ops->open(test_intake_self(fixture->intake), fixture->settings,
                     &err) != WEIR_OK) {
        test_intake_close(fixture->intake);
        if (clock_now_us() > deadline_us)
            fail_msg("%s", err.text);
        (void)usleep(50000); /* the runtime's backoff */
    }
}

/* Takes all and settles the first half of it. */
static void settle_half(const struct fixture *fixture)
{
    struct weir_error err = {.text = ""};

    test_intake_pull_until(fixture->intake, COUNT, COUNT);
    assert_int_equal(
        test_intake_settle(fixture->intake, 0, COUNT / 2, WEIR_OUTCOME_DONE),
        WEIR_OK);
    assert_int_equal(test_intake_pull(fixture->intake, 0,
                                      clock_after_us(CLOCK_SECOND_US / 2),
                                      &err),
                     WEIR_AGAIN);
}

static void expect_end(const struct fixture *fixture, const char *word)
{
    const int64_t deadline_us = clock_after_us(PATIENCE_S * CLOCK_SECOND_US);
    enum weir_status status = WEIR_AGAIN;
    struct weir_error err = {.text = ""};

    while (status == WEIR_AGAIN && clock_now_us() < deadline_us)
        status = test_intake_pull(fixture->intake, 0,
                                  clock_after_us(CLOCK_SECOND_US), &err);
    assert_int_equal(status, WEIR_RETRY);
    if (!strstr(err.text, word))
        fail_msg("no '%s' in: %s", word, err.text);
}

/* The other half comes again, and nothing else. */
static void expect_the_rest(const struct fixture *fixture)
{
    struct real_broker *broker;

    test_intake_pull_until(fixture->intake, COUNT, COUNT / 2);
    assert_string_equal(test_intake_record(fixture->intake, 0)->payload, "50");
    assert_int_equal(
        test_intake_settle(fixture->intake, 0, COUNT / 2, WEIR_OUTCOME_DONE),
        WEIR_OK);
    test_intake_close(fixture->intake);
    broker = real_broker_create();
    real_broker_await_count(broker, queue, 0);
    real_broker_destroy(broker);
}

static void a_restarted_broker_is_survived(void **state)
{
    struct fixture *fixture = *state;

    open_again(fixture);
    settle_half(fixture);
    brokers("stop");
    expect_end(fixture, "connection"); /* its last word may be lost with it */
    test_intake_close(fixture->intake);
    brokers("restart");
    open_again(fixture);
    expect_the_rest(fixture);
}

/* A broker that dies may have forgotten acknowledgements, so that messages come
 * twice; what was not acknowledged must come. */
static void a_killed_broker_is_survived(void **state)
{
    struct fixture *fixture = *state;
    const int64_t deadline_us = clock_after_us(PATIENCE_S * CLOCK_SECOND_US);
    unsigned missing = COUNT / 2;
    bool seen[COUNT] = {false};

    declare(NULL);
    brokers("restart"); /* a node forgets what it did not write yet, a queue */
    open_again(fixture);
    settle_half(fixture);
    brokers("kill");
    expect_end(fixture, "connection");
    test_intake_close(fixture->intake);
    brokers("restart");
    open_again(fixture);
    for (size_t i = 0; missing > 0; i++) {
        size_t id;

        assert_true(clock_now_us() < deadline_us);
        test_intake_pull_until(fixture->intake, COUNT, i + 1);
        id = strtoul(test_intake_record(fixture->intake, i)->payload, NULL, 10);
        missing -= id >= COUNT / 2 && !seen[id];
        seen[id] = true;
        assert_int_equal(
            test_intake_settle(fixture->intake, i, 1, WEIR_OUTCOME_DONE),
            WEIR_OK);
    }
}

static void a_frozen_broker_is_given_up_within_two_intervals(void **state)
{
    struct fixture *fixture = *state;
    int64_t frozen_us;

    open_again(fixture);
    settle_half(fixture);
    brokers("freeze");
    frozen_us = clock_now_us();
    expect_end(fixture, "no heartbeat");
    assert_true(clock_now_us() - frozen_us < 5 * CLOCK_SECOND_US);
    test_intake_close(fixture->intake);
    assert_true(clock_now_us() - frozen_us < 7 * CLOCK_SECOND_US);

    brokers("thaw");
    open_again(fixture);
    expect_the_rest(fixture);
}

static void a_close_is_bounded_also_when_the_broker_is_frozen(void **state)
{
    struct fixture *fixture = *state;
    int64_t started_us;

    open_again(fixture);
    settle_half(fixture);
    brokers("freeze");
    started_us = clock_now_us();
    test_intake_close(fixture->intake);
    assert_true(clock_now_us() - started_us < 2 * CLOCK_SECOND_US);

    brokers("thaw");
    open_again(fixture);
    expect_the_rest(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_restarted_broker_is_survived),
        TEST(a_killed_broker_is_survived),
        TEST(a_frozen_broker_is_given_up_within_two_intervals),
        TEST(a_close_is_bounded_also_when_the_broker_is_frozen),
    };

    if (!real_broker_is_there())
        return SKIPPED;
    return cmocka_run_group_tests_name("amqp_outage", tests, start_node,
                                       stop_node);
}
