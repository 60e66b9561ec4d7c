/*
 * answers_test.c - what a broker answers becomes outcomes.
 */
#include "test.h"

#include <string.h>

#include "clock.h"
#include "kafka_sink.h"
#include "sink_rig.h"

static int setup(void **state)
{
    *state = sink_rig_of_mock(1);
    return 0;
}

static int teardown(void **state)
{
    sink_rig_destroy(*state);
    return 0;
}

static void answer(const struct sink_rig *rig, rd_kafka_resp_err_t code)
{
    rd_kafka_mock_push_request_errors(rig->cluster, RIG_PRODUCE, 1, code);
}

static void assert_outcome(const struct weir_batch *batch, size_t index,
                           enum weir_status status, const char *reason)
{
    assert_int_equal(test_batch_outcome(batch, index), status);
    if (reason && !strstr(test_batch_reason(batch, index), reason))
        fail_msg("reason: %s", test_batch_reason(batch, index));
}

static void assert_arrived(const struct sink_rig *rig, const char *expected)
{
    struct arrived *arrived = sink_rig_read(rig, rig->topic);
    char texts[1000];

    assert_string_equal(arrived_texts(arrived, 0, texts, sizeof texts),
                        expected);
    arrived_destroy(arrived);
}

static void a_message_is_delivered_when_its_report_says_so(void **state)
{
    struct sink_rig *rig = *state;
    struct weir_batch *batch = sink_rig_batch(rig, 0, 5, "k");

    sink_rig_open(rig);
    sink_rig_deliver(rig, batch);
    assert_arrived(rig, "0000 0001 0002 0003 0004");
    test_batch_destroy(batch);
}

static void without_an_answer_there_is_no_outcome(void **state)
{
    struct sink_rig *rig = *state;
    struct weir_batch *batch = sink_rig_batch(rig, 0, 5, "k");
    const int64_t until_us = clock_after_us(CLOCK_SECOND_US / 2);

    sink_rig_open(rig);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(rig->cluster, -1, 2000),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    sink_rig_write(rig, batch);
    assert_int_equal(weir_kafka_sink.flush(rig->self, until_us, NULL),
                     WEIR_AGAIN);
    assert_int_equal(test_batch_open_count(batch), 5);
    test_batch_destroy(batch);
}

static enum weir_status outcome_of_one(struct sink_rig *rig)
{
    struct weir_batch *batch = sink_rig_batch(rig, 0, 1, "k");
    enum weir_status status;

    sink_rig_write(rig, batch);
    sink_rig_serve(rig, batch);
    status = test_batch_outcome(batch, 0);
    if (status != WEIR_OK)
        assert_outcome(batch, 0, WEIR_REJECT, "the topic 'out' refuses it");
    test_batch_destroy(batch);
    return status;
}

/* The client remembers it until it asks the broker again. */
static void what_is_not_allowed_is_rejected_until_it_is(void **state)
{
    struct sink_rig *rig = *state;
    const int64_t limit_us = clock_after_us(20 * CLOCK_SECOND_US);

    test_settings_set(rig->settings,
                      "properties.topic.metadata.refresh.interval.ms", "300");
    sink_rig_open(rig);
    answer(rig, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    assert_int_equal(outcome_of_one(rig), WEIR_REJECT);
    while (outcome_of_one(rig) != WEIR_OK)
        assert_true(clock_now_us() < limit_us);
    assert_arrived(rig, "0000");
}

static void what_passes_is_tried_again_by_itself(void **state)
{
    static const rd_kafka_resp_err_t passing[] = {
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR__TRANSPORT,
    };
    struct sink_rig *rig = *state;
    struct weir_batch *batch = sink_rig_batch(rig, 0, 3, "k");

    sink_rig_open(rig);
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        answer(rig, passing[i]);
    sink_rig_deliver(rig, batch);
    assert_arrived(rig, "0000 0001 0002");
    test_batch_destroy(batch);
}

/* One of a batch is what the broker refuses; it can't say which. */
static void a_refused_batch_is_sent_again_until_one_is_alone(void **state)
{
    struct sink_rig *rig = *state;
    struct weir_batch *batch = sink_rig_batch(rig, 0, 4, "k");

    sink_rig_open(rig);
    answer(rig, RD_KAFKA_RESP_ERR_INVALID_RECORD); /* 0 1 2 3 */
    answer(rig, RD_KAFKA_RESP_ERR_INVALID_RECORD); /* 0 1 */
    answer(rig, RD_KAFKA_RESP_ERR_INVALID_RECORD); /* 0 */
    sink_rig_write(rig, batch);
    sink_rig_serve(rig, batch);
    assert_outcome(batch, 0, WEIR_REJECT, "refuses it");
    for (size_t i = 1; i < 4; i++)
        assert_outcome(batch, i, WEIR_OK, NULL);
    assert_arrived(rig, "0001 0002 0003");
    test_batch_destroy(batch);
}

/* The client goes on behind a batch that failed; so the next one is there
 * before the first is sent again, and must come again behind it. */
static void what_is_delivered_behind_a_refused_batch_comes_again(void **state)
{
    struct sink_rig *rig = *state;
    struct weir_batch *first = sink_rig_batch(rig, 0, 2, "k");
    struct weir_batch *second = sink_rig_batch(rig, 2, 2, "k");
    struct arrived *arrived;
    char texts[1000];

    test_settings_set(rig->settings, "properties.batch.num.messages", "2");
    test_settings_share(rig->settings)->ordering = WEIR_ORDERING_KEY;
    sink_rig_open(rig);
    /* Both are under way before the first is answered. */
    assert_int_equal(rd_kafka_mock_broker_set_rtt(rig->cluster, -1, 300),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    answer(rig, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    sink_rig_write(rig, first);
    sink_rig_write(rig, second);
    sink_rig_serve(rig, first);
    sink_rig_serve(rig, second);
    for (size_t i = 0; i < 2; i++) {
        assert_outcome(first, i, WEIR_OK, NULL);
        assert_outcome(second, i, WEIR_OK, NULL);
    }
    arrived = sink_rig_read(rig, rig->topic);
    (void)arrived_texts(arrived, 0, texts, sizeof texts);
    assert_true(strlen(texts) >= strlen("0000 0001 0002 0003"));
    assert_string_equal(texts + strlen(texts) - strlen("0000 0001 0002 0003"),
                        "0000 0001 0002 0003");
    arrived_destroy(arrived);
    test_batch_destroy(first);
    test_batch_destroy(second);
}

static void too_large_for_the_client_is_rejected_alone(void **state)
{
    static const char large[1000 * 1000];
    struct sink_rig *rig = *state;
    const struct test_message messages[] = {
        {.payload = {"a", 1}},
        {.payload = {large, sizeof large}},
        {.payload = {"c", 1}},
    };
    struct weir_batch *batch = test_batch_create(messages, 3);

    test_settings_set(rig->settings, "properties.message.max.bytes", "100000");
    sink_rig_open(rig);
    sink_rig_write(rig, batch);
    sink_rig_serve(rig, batch);
    assert_outcome(batch, 0, WEIR_OK, NULL);
    assert_outcome(batch, 1, WEIR_REJECT, "1000000 bytes are too large");
    assert_outcome(batch, 2, WEIR_OK, NULL);
    assert_arrived(rig, "a c");
    test_batch_destroy(batch);
}

/* The messages are small, so it was the batch: smaller ones from now on. */
static void a_batch_that_is_too_large_makes_batches_smaller(void **state)
{
    struct sink_rig *rig = *state;
    struct weir_batch *batch = sink_rig_batch(rig, 0, 3, "k"), *rest;

    sink_rig_open(rig);
    answer(rig, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    sink_rig_write(rig, batch);
    sink_rig_await_retry(rig);
    assert_non_null(strstr(rig->err.text, "500000 from now on"));
    sink_rig_reopen(rig);
    rest = test_batch_rest(batch);
    assert_int_equal(weir_batch_count(rest), 3);
    sink_rig_deliver(rig, rest);
    assert_arrived(rig, "0000 0001 0002");
    test_batch_destroy(rest);
    test_batch_destroy(batch);
}

/* The client may be at its end before the first message. */
static void write_until_retry(struct sink_rig *rig, struct weir_batch *batch)
{
    const enum weir_status status =
        weir_kafka_sink.write(rig->self, batch, &rig->err);

    if (status == WEIR_OK)
        sink_rig_await_retry(rig);
    else
        assert_int_equal(status, WEIR_RETRY);
}

/* Not allowed to be idempotent: nothing will ever be delivered by this client;
 * the next one may be. */
static void a_client_at_its_end_is_replaced(void **state)
{
    struct sink_rig *rig = *state;
    struct weir_batch *batch = sink_rig_batch(rig, 0, 3, "k"), *rest;

    rd_kafka_mock_push_request_errors(
        rig->cluster, RIG_INIT_PID, 1,
        RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
    sink_rig_open(rig);
    write_until_retry(rig, batch);
    if (!strstr(rig->err.text, "IdempotentWrite"))
        fail_msg("reason: %s", rig->err.text);
    assert_int_equal(test_batch_open_count(batch), 3);
    sink_rig_reopen(rig);
    rest = test_batch_rest(batch);
    sink_rig_deliver(rig, rest);
    assert_arrived(rig, "0000 0001 0002");
    test_batch_destroy(rest);
    test_batch_destroy(batch);
}

/* The share of the memory is full after the first message. */
static void a_full_queue_waits_and_drops_nothing(void **state)
{
    struct sink_rig *rig = *state;
    struct weir_batch *first = sink_rig_batch(rig, 0, 20, "k");
    struct weir_batch *second = sink_rig_batch(rig, 20, 1, "k");

    test_settings_share(rig->settings)->memory = 1000;
    sink_rig_open(rig);
    assert_int_equal(weir_kafka_sink.write(rig->self, first, NULL), WEIR_OK);
    assert_int_equal(weir_kafka_sink.write(rig->self, second, NULL),
                     WEIR_AGAIN);
    sink_rig_serve(rig, first);
    sink_rig_deliver(rig, second);
    assert_arrived(rig, "0000 0001 0002 0003 0004 0005 0006 0007 0008 0009 "
                        "0010 0011 0012 0013 0014 0015 0016 0017 0018 0019 "
                        "0020");
    test_batch_destroy(first);
    test_batch_destroy(second);
}

/* librdkafka's own limits are wider: they must let one large message through.
 */
static void what_the_client_copies_fits_its_memory(void **state)
{
    static const char large[100 * 1000];
    struct sink_rig *rig = *state;
    struct test_message messages[15];
    struct weir_batch *first, *second = sink_rig_batch(rig, 0, 1, "k");

    for (size_t i = 0; i < 15; i++)
        messages[i] = (struct test_message){.payload = {large, sizeof large}};
    first = test_batch_create(messages, 15);
    test_settings_share(rig->settings)->memory = 1000000;
    sink_rig_open(rig);
    assert_int_equal(rd_kafka_mock_broker_set_rtt(rig->cluster, -1, 1000),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(weir_kafka_sink.write(rig->self, first, NULL), WEIR_OK);
    assert_int_equal(weir_kafka_sink.write(rig->self, second, NULL),
                     WEIR_AGAIN);
    test_batch_destroy(first);
    test_batch_destroy(second);
}

static void a_message_without_what_the_topic_is_made_of_is_rejected(
    void **state)
{
    static const struct weir_header west[] = {
        {.name = {"to", 2}, .value = {"out", 3}}};
    static const struct weir_header odd[] = {
        {.name = {"to", 2}, .value = {"a/b", 3}}};
    const struct test_message messages[] = {
        {.payload = {"a", 1}, .headers = west, .header_count = 1},
        {.payload = {"b", 1}},
        {.payload = {"c", 1}, .headers = odd, .header_count = 1},
        {.payload = {"d", 1}, .headers = west, .header_count = 1},
    };
    struct sink_rig *rig = *state;
    struct weir_batch *batch = test_batch_create(messages, 4);

    test_settings_set(rig->settings, "topic", "%{header.to}");
    sink_rig_open(rig);
    sink_rig_write(rig, batch);
    sink_rig_serve(rig, batch);
    assert_outcome(batch, 0, WEIR_OK, NULL);
    assert_outcome(batch, 1, WEIR_REJECT, "it has no header.to");
    assert_outcome(batch, 2, WEIR_REJECT, "'a/b' is no topic");
    assert_outcome(batch, 3, WEIR_OK, NULL);
    assert_arrived(rig, "a d");
    test_batch_destroy(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_delivered_when_its_report_says_so),
        TEST(without_an_answer_there_is_no_outcome),
        TEST(what_is_not_allowed_is_rejected_until_it_is),
        TEST(what_passes_is_tried_again_by_itself),
        TEST(a_refused_batch_is_sent_again_until_one_is_alone),
        TEST(what_is_delivered_behind_a_refused_batch_comes_again),
        TEST(too_large_for_the_client_is_rejected_alone),
        TEST(a_batch_that_is_too_large_makes_batches_smaller),
        TEST(a_client_at_its_end_is_replaced),
        TEST(a_full_queue_waits_and_drops_nothing),
        TEST(what_the_client_copies_fits_its_memory),
        TEST(a_message_without_what_the_topic_is_made_of_is_rejected),
    };
    return cmocka_run_group_tests_name("kafka_sink_answers", tests, NULL, NULL);
}
