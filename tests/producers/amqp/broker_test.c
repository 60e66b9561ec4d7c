/*
 * broker_test.c - a real RabbitMQ's queue, through the table of functions.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp_producer.h"
#include "clock.h"
#include "log.h"
#include "real_broker.h"
#include "test_intake.h"
#include "test_settings.h"

enum { SKIPPED = 77, PREFETCH = 100, MANY = 10000 };

static const struct weir_producer_ops *const ops = &weir_amqp_producer;
static const char queue[] = "weir-test-amqp";
static const char dead[] = "weir-test-amqp-dead";
static unsigned
    ended[MANY]; /* per message: how often it was done or rejected */
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
    test_settings_share(fixture->settings)->in_flight = PREFETCH;
    test_settings_share(fixture->settings)->memory = (size_t)1 << 30;
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

static void settle(const struct fixture *fixture, size_t first, size_t count,
                   enum weir_outcome outcome)
{
    assert_int_equal(test_intake_settle(fixture->intake, first, count, outcome),
                     WEIR_OK);
}

/* Pulls without demand until `done` says so, for at most ten seconds. */
static enum weir_status serve_until(const struct fixture *fixture,
                                    bool (*is_done)(const struct fixture *),
                                    struct weir_error *err)
{
    const int64_t deadline_us = clock_after_us(10 * CLOCK_SECOND_US);
    enum weir_status status = WEIR_AGAIN;

    while (status == WEIR_AGAIN && !is_done(fixture)) {
        assert_true(clock_now_us() < deadline_us);
        status = test_intake_pull(fixture->intake, 0,
                                  clock_after_us(CLOCK_SECOND_US / 50), err);
    }
    return status;
}

static bool never(const struct fixture *fixture)
{
    (void)fixture;
    return false;
}

static void what_was_not_settled_comes_again_after_a_reconnect(void **state)
{
    struct fixture *fixture = *state;

    real_broker_declare(fixture->broker, queue, quorum);
    real_broker_publish(fixture->broker, queue, 0, 10);
    open_producer(fixture);
    test_intake_pull_until(fixture->intake, 10, 10);
    settle(fixture, 0, 4, WEIR_OUTCOME_DONE);
    settle(fixture, 4, 1, WEIR_OUTCOME_LEAVE);
    settle(fixture, 5, 1, WEIR_OUTCOME_DONE);
    test_intake_close(fixture->intake);

    open_producer(fixture);
    test_intake_pull_until(fixture->intake, 10, 5);
    assert_string_equal(test_intake_record(fixture->intake, 0)->payload, "4");
    assert_string_equal(test_intake_record(fixture->intake, 1)->payload, "6");
    assert_int_equal(test_intake_record(fixture->intake, 0)->deliveries, 1);
    settle(fixture, 0, 5, WEIR_OUTCOME_DONE);
    finish(fixture);
    assert_int_equal(real_broker_count(fixture->broker, queue), 0);
}

static void a_requeued_message_comes_back_and_is_counted(void **state)
{
    struct fixture *fixture = *state;

    real_broker_declare(fixture->broker, queue, quorum);
    real_broker_publish(fixture->broker, queue, 7, 1);
    open_producer(fixture);
    for (size_t i = 0; i < 4; i++) {
        test_intake_pull_until(fixture->intake, 1, i + 1);
        assert_int_equal(test_intake_record(fixture->intake, i)->deliveries, i);
        settle(fixture, i, 1, WEIR_OUTCOME_REQUEUE);
    }

    test_intake_pull_until(fixture->intake, 1, 5);
    settle(fixture, 4, 1, WEIR_OUTCOME_DONE);
    finish(fixture);
}

static void count_lines(void *opaque, enum weir_log_level level,
                        const char *line)
{
    unsigned *count = opaque;

    (void)level;
    *count += strstr(line, "requeued without limit") != NULL;
}

static void a_requeue_without_limit_is_said_once(void **state)
{
    struct fixture *fixture = *state;
    unsigned count = 0;

    real_broker_declare(fixture->broker, queue, classic);
    real_broker_publish(fixture->broker, queue, 7, 1);
    log_set_callback(count_lines, &count);
    open_producer(fixture);
    for (size_t i = 0; i < 4; i++) {
        test_intake_pull_until(fixture->intake, 1, i + 1);
        settle(fixture, i, 1, WEIR_OUTCOME_REQUEUE);
    }
    log_set_callback(NULL, NULL);

    assert_int_equal(count, 1);
}

static void a_wrong_password_is_told_without_it(void **state)
{
    struct fixture *fixture = *state;
    struct weir_error err = {.text = ""};
    char url[200];

    (void)snprintf(url, sizeof(url), "amqp://guest:hunter2%s",
                   strrchr(real_broker_url(), '@'));
    test_settings_set(fixture->settings, "url", url);
    real_broker_declare(fixture->broker, queue, classic);
    assert_int_equal(
        ops->open(test_intake_self(fixture->intake), fixture->settings, &err),
        WEIR_RETRY);

    assert_non_null(strstr(err.text, "check user and password in the url"));
    assert_null(strstr(err.text, "hunter2"));
}

static void near_its_delivery_limit_a_message_is_dead_lettered(void **state)
{
    static const char *const arguments[] = {"x-queue-type",
                                            "quorum",
                                            "x-dead-letter-exchange",
                                            "",
                                            "x-dead-letter-routing-key",
                                            dead,
                                            NULL};
    struct fixture *fixture = *state;

    real_broker_declare(fixture->broker, dead, classic);
    real_broker_declare(fixture->broker, queue, arguments);
    real_broker_publish(fixture->broker, queue, 7, 1);
    test_settings_set(fixture->settings, "delivery_limit", "4");
    open_producer(fixture);
    for (size_t i = 0; i < 2; i++) {
        test_intake_pull_until(fixture->intake, 1, i + 1);
        settle(fixture, i, 1, WEIR_OUTCOME_REQUEUE);
    }
    finish(fixture);

    real_broker_await_count(fixture->broker, dead, 1);
    assert_int_equal(real_broker_count(fixture->broker, queue), 0);
    real_broker_delete(fixture->broker, dead);
}

static void a_rejected_message_goes_to_the_dead_letter_exchange(void **state)
{
    static const char *const arguments[] = {
        "x-dead-letter-exchange", "", "x-dead-letter-routing-key", dead, NULL};
    struct fixture *fixture = *state;

    real_broker_declare(fixture->broker, dead, classic);
    real_broker_declare(fixture->broker, queue, arguments);
    real_broker_publish(fixture->broker, queue, 0, 10);
    open_producer(fixture);
    test_intake_pull_until(fixture->intake, 10, 10);
    settle(fixture, 0, 4, WEIR_OUTCOME_DONE);
    settle(fixture, 5, 5, WEIR_OUTCOME_DONE);
    settle(fixture, 4, 1, WEIR_OUTCOME_DISCARD);
    finish(fixture);

    real_broker_await_count(fixture->broker, dead, 1);
    assert_int_equal(real_broker_count(fixture->broker, queue), 0);
    real_broker_delete(fixture->broker, dead);
}

static void a_deleted_queue_is_said_waited_for_and_consumed_again(void **state)
{
    struct fixture *fixture = *state;
    struct weir_error err = {.text = ""};

    real_broker_declare(fixture->broker, queue, classic);
    open_producer(fixture);
    real_broker_delete(fixture->broker, queue);
    assert_int_equal(serve_until(fixture, never, &err), WEIR_RETRY);
    assert_non_null(strstr(err.text, "the broker cancelled the consumer"));
    test_intake_close(fixture->intake);
    assert_int_equal(
        ops->open(test_intake_self(fixture->intake), fixture->settings, &err),
        WEIR_RETRY);
    assert_non_null(strstr(err.text, "waiting for it"));
    test_intake_close(fixture->intake);

    real_broker_declare(fixture->broker, queue, classic);
    real_broker_publish(fixture->broker, queue, 0, 1);
    open_producer(fixture);
    test_intake_pull_until(fixture->intake, 1, 1);
}

static void the_queue_is_declared_where_that_is_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct weir_error err = {.text = ""};

    real_broker_declare(fixture->broker, queue, classic);
    test_settings_set(fixture->settings, "declare.type", "quorum");
    test_settings_set(fixture->settings, "declare.arguments.x-max-length",
                      "1000");
    assert_int_equal(
        ops->open(test_intake_self(fixture->intake), fixture->settings, &err),
        WEIR_RETRY);
    assert_non_null(strstr(err.text, "declared otherwise"));
    test_intake_close(fixture->intake);

    real_broker_delete(fixture->broker, queue);
    open_producer(fixture);
    test_intake_close(fixture->intake);
    open_producer(fixture);
}

static void a_plain_declaration_accepts_a_queue_without_a_type(void **state)
{
    struct fixture *fixture = *state;

    real_broker_declare(fixture->broker, queue, classic);
    test_settings_set(fixture->settings, "declare.type", "classic");
    open_producer(fixture);
}

static void a_full_pipeline_keeps_its_connection(void **state)
{
    struct fixture *fixture = *state;
    const int64_t until_us = clock_after_us(5 * CLOCK_SECOND_US);
    struct weir_error err = {.text = ""};

    real_broker_declare(fixture->broker, queue, classic);
    real_broker_publish(fixture->broker, queue, 0, 1000);
    test_settings_set(fixture->settings, "heartbeat", "1s");
    open_producer(fixture);
    while (clock_now_us() < until_us)
        assert_int_equal(test_intake_pull(fixture->intake, 0, until_us, &err),
                         WEIR_AGAIN);

    assert_int_equal(real_broker_count(fixture->broker, queue), 900);
    test_intake_pull_until(fixture->intake, 64, 100);
    assert_string_equal(test_intake_record(fixture->intake, 99)->payload, "99");
    settle(fixture, 0, 100, WEIR_OUTCOME_DONE);
    test_intake_pull_until(fixture->intake, 64, 101);
}

static void bodies_of_every_size_arrive_whole(void **state)
{
    static const size_t sizes[] = {0,      1,      131064,  131065,
                                   262128, 200000, 1048576, 1048577};
    const size_t count = sizeof(sizes) / sizeof(sizes[0]);
    struct fixture *fixture = *state;
    char *body = malloc(sizes[count - 1]);

    assert_non_null(body);
    for (size_t i = 0; i < sizes[count - 1]; i++)
        body[i] = (char)(i * 31 >> 3);
    real_broker_declare(fixture->broker, queue, classic);
    for (size_t i = 0; i < count; i++) {
        const amqp_basic_properties_t none = {._flags = 0};

        real_broker_publish_bytes(
            fixture->broker, queue,
            (amqp_bytes_t){.len = sizes[i], .bytes = body}, &none);
    }
    open_producer(fixture);
    test_intake_pull_until(fixture->intake, 100, count);

    for (size_t i = 0; i + 1 < count; i++) {
        const struct test_record *record =
            test_intake_record(fixture->intake, i);

        assert_int_equal(record->payload_size, sizes[i]);
        assert_memory_equal(record->payload, body, sizes[i]);
    }
    assert_int_equal(test_intake_record(fixture->intake, count - 1)->omitted,
                     sizes[count - 1]);
    free(body);
}

static void an_empty_queue_is_the_end_where_that_is_asked_for(void **state)
{
    struct fixture *fixture = *state;
    enum weir_status status = WEIR_OK;
    struct weir_error err = {.text = ""};
    size_t settled = 0;

    real_broker_declare(fixture->broker, queue, quorum);
    real_broker_publish(fixture->broker, queue, 0, 1000);
    test_settings_share(fixture->settings)->until_end = true;
    open_producer(fixture);
    while (status == WEIR_OK || status == WEIR_AGAIN) {
        const size_t count = test_intake_count(fixture->intake);

        if (count > settled)
            settle(fixture, settled, count - settled, WEIR_OUTCOME_DONE);
        settled = count;
        status = test_intake_pull(fixture->intake, 64,
                                  clock_after_us(10 * CLOCK_SECOND_US), &err);
    }

    assert_int_equal(status, WEIR_DONE);
    assert_int_equal(settled, 1000);
    test_intake_close(fixture->intake);
    assert_int_equal(real_broker_count(fixture->broker, queue), 0);
}

/* Settles a random open record; requeues only those of the first delivery. */
static void settle_any(const struct fixture *fixture, size_t *open,
                       size_t *open_count, unsigned *rejected)
{
    const size_t chosen = (size_t)rand() % *open_count;
    const size_t index = open[chosen];
    enum weir_outcome outcome = WEIR_OUTCOME_DONE;

    open[chosen] = open[--*open_count];
    if (rand() % 10 == 0)
        outcome = WEIR_OUTCOME_DISCARD;
    else if (rand() % 10 == 0 &&
             test_intake_record(fixture->intake, index)->deliveries == 0)
        outcome = WEIR_OUTCOME_REQUEUE;
    if (outcome == WEIR_OUTCOME_DISCARD)
        ++*rejected;
    ended[strtoul(test_intake_record(fixture->intake, index)->payload, NULL,
                  10)] += outcome != WEIR_OUTCOME_REQUEUE;
    settle(fixture, index, 1, outcome);
}

static void in_any_order_each_message_ends_exactly_once(void **state)
{
    static const char *const arguments[] = {"x-queue-type",
                                            "quorum",
                                            "x-dead-letter-exchange",
                                            "",
                                            "x-dead-letter-routing-key",
                                            dead,
                                            NULL};
    struct fixture *fixture = *state;
    size_t open[PREFETCH], open_count = 0, seen = 0, over = 0;
    unsigned rejected = 0;

    srand(1);
    real_broker_declare(fixture->broker, dead, classic);
    real_broker_declare(fixture->broker, queue, arguments);
    real_broker_publish(fixture->broker, queue, 0, MANY);
    open_producer(fixture);
    while (over < MANY) {
        struct weir_error err = {.text = ""};
        const enum weir_status status =
            test_intake_pull(fixture->intake, (unsigned)(PREFETCH - open_count),
                             clock_after_us(CLOCK_SECOND_US / 100), &err);

        assert_true(status == WEIR_OK || status == WEIR_AGAIN);
        while (seen < test_intake_count(fixture->intake))
            open[open_count++] = seen++;
        for (int i = rand() % 50; i > 0 && open_count > 0; i--)
            settle_any(fixture, open, &open_count, &rejected);
        over = 0;
        for (size_t i = 0; open_count == 0 && i < MANY; i++)
            over += ended[i] > 0;
    }
    finish(fixture);

    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(ended[i], 1);
    real_broker_await_count(fixture->broker, dead, rejected);
    assert_int_equal(real_broker_count(fixture->broker, queue), 0);
    real_broker_delete(fixture->broker, dead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_classic_queue_is_consumed_and_acknowledged),
        TEST(a_quorum_queue_is_consumed_and_acknowledged),
        TEST(what_was_not_settled_comes_again_after_a_reconnect),
        TEST(a_requeued_message_comes_back_and_is_counted),
        TEST(a_requeue_without_limit_is_said_once),
        TEST(a_wrong_password_is_told_without_it),
        TEST(near_its_delivery_limit_a_message_is_dead_lettered),
        TEST(a_rejected_message_goes_to_the_dead_letter_exchange),
        TEST(a_deleted_queue_is_said_waited_for_and_consumed_again),
        TEST(the_queue_is_declared_where_that_is_asked_for),
        TEST(a_plain_declaration_accepts_a_queue_without_a_type),
        TEST(a_full_pipeline_keeps_its_connection),
        TEST(bodies_of_every_size_arrive_whole),
        TEST(an_empty_queue_is_the_end_where_that_is_asked_for),
        TEST(in_any_order_each_message_ends_exactly_once),
    };

    if (!real_broker_is_there())
        return SKIPPED;
    return cmocka_run_group_tests_name("amqp_broker", tests, NULL, NULL);
}
