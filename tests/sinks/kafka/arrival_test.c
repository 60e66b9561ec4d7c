/*
 * arrival_test.c - what is written arrives, byte for byte, at a real broker.
 */
#include "test.h"

#include <string.h>

#include "broker.h"
#include "clock.h"
#include "kafka_sink.h"
#include "sink_rig.h"

static int setup(void **state)
{
    *state = sink_rig_of_broker(broker_address(), 1);
    return 0;
}

static int teardown(void **state)
{
    sink_rig_destroy(*state);
    return 0;
}

static void assert_bytes(const void *found, size_t found_size,
                         struct weir_bytes expected)
{
    assert_int_equal(!found, !expected.data);
    assert_int_equal(found_size, expected.size);
    if (expected.size > 0)
        assert_memory_equal(found, expected.data, expected.size);
}

static void assert_headers(const rd_kafka_message_t *msg,
                           const struct test_message *expected)
{
    rd_kafka_headers_t *headers = NULL;
    const rd_kafka_resp_err_t code = rd_kafka_message_headers(msg, &headers);

    if (expected->header_count == 0) {
        assert_int_equal(code, RD_KAFKA_RESP_ERR__NOENT);
        return;
    }
    assert_int_equal(code, RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(rd_kafka_header_cnt(headers), expected->header_count);
    for (size_t i = 0; i < expected->header_count; i++) {
        const char *name = NULL;
        const void *value = NULL;
        size_t size = 0;

        assert_int_equal(
            rd_kafka_header_get_all(headers, i, &name, &value, &size),
            RD_KAFKA_RESP_ERR_NO_ERROR);
        assert_bytes(name, strlen(name), expected->headers[i].name);
        assert_bytes(value, size, expected->headers[i].value);
    }
}

static void assert_message(const rd_kafka_message_t *msg,
                           const struct test_message *expected)
{
    rd_kafka_timestamp_type_t kind;

    assert_bytes(msg->payload, msg->len, expected->payload);
    assert_bytes(msg->key, msg->key_len, expected->key);
    assert_headers(msg, expected);
    if (expected->timestamp_ms > 0)
        assert_int_equal(rd_kafka_message_timestamp(msg, &kind),
                         expected->timestamp_ms);
}

static void everything_of_a_message_arrives(void **state)
{
    static const struct weir_header headers[] = {
        {.name = {"h", 1}, .value = {"\0\xff v", 4}},
        {.name = {"h", 1}, .value = {"again", 5}},
        {.name = {"empty", 5}, .value = {"", 0}},
        {.name = {"null", 4}},
    };
    static const struct test_message messages[] = {
        {.key = {"k\0\x80", 3},
         .payload = {"p\0\xff\n", 4},
         .timestamp_ms = 1700000000123,
         .headers = headers,
         .header_count = 4},
        {.key = {"k", 1}, .timestamp_ms = 1700000000124},
        {.key = {"", 0}, .payload = {"", 0}, .timestamp_ms = 1700000000125},
        {.payload = {"neither key nor time", 20}, .timestamp_ms = -1},
    };
    struct sink_rig *rig = *state;
    const size_t count = sizeof messages / sizeof messages[0];
    struct weir_batch *batch = test_batch_create(messages, count);
    struct arrived *arrived;

    sink_rig_open(rig);
    sink_rig_deliver(rig, batch);
    arrived = sink_rig_read(rig, rig->topic);
    assert_int_equal(arrived->count, count);
    for (size_t i = 0; i < count; i++)
        assert_message(arrived->messages[i], &messages[i]);
    arrived_destroy(arrived);
    test_batch_destroy(batch);
}

static void a_key_may_be_made_from_a_template(void **state)
{
    static const struct weir_header headers[] = {
        {.name = {"user", 4}, .value = {"anna", 4}}};
    static const struct test_message messages[] = {
        {.topic = "in",
         .key = {"old", 3},
         .headers = headers,
         .header_count = 1,
         .payload = {"a", 1}},
        {.topic = "in", .key = {"old", 3}, .payload = {"b", 1}},
    };
    struct sink_rig *rig = *state;
    struct weir_batch *batch = test_batch_create(messages, 2);
    struct arrived *arrived;

    test_settings_set(rig->settings, "key", "%{header.user}");
    sink_rig_open(rig);
    sink_rig_deliver(rig, batch);
    arrived = sink_rig_read(rig, rig->topic);
    assert_int_equal(arrived->count, 2);
    assert_bytes(arrived->messages[0]->key, arrived->messages[0]->key_len,
                 weir_str("anna"));
    assert_null(arrived->messages[1]->key);
    arrived_destroy(arrived);
    test_batch_destroy(batch);
}

static void a_topic_may_be_made_from_a_template(void **state)
{
    struct sink_rig *rig = *state;
    char other[80], texts[100];
    struct test_message messages[2];
    struct weir_header headers[2];
    struct weir_batch *batch;

    broker_create_topic(rig->address, 1, other, sizeof other);
    for (size_t i = 0; i < 2; i++) {
        headers[i] = (struct weir_header){
            .name = weir_str("to"),
            .value = weir_str((i == 0 ? rig->topic : other) + 1)};
        messages[i] =
            (struct test_message){.payload = weir_str(i == 0 ? "a" : "b"),
                                  .headers = &headers[i],
                                  .header_count = 1};
    }
    batch = test_batch_create(messages, 2);
    test_settings_set(rig->settings, "topic", "w%{header.to}");
    sink_rig_open(rig);
    sink_rig_deliver(rig, batch);
    for (size_t i = 0; i < 2; i++) {
        struct arrived *arrived =
            sink_rig_read(rig, i == 0 ? rig->topic : other);

        assert_string_equal(arrived_texts(arrived, 0, texts, sizeof texts),
                            i == 0 ? "a" : "b");
        arrived_destroy(arrived);
    }
    test_batch_destroy(batch);
}

/* The broker's limit is lower than the batch, and than one message. */
static void a_message_too_large_for_its_topic_is_rejected_alone(void **state)
{
    static char large[60000], small[5000];
    struct sink_rig *rig = *state;
    struct test_message messages[40];
    struct arrived *arrived;

    memset(large, 'L', sizeof large);
    memset(small, 's', sizeof small);
    for (size_t i = 0; i < 40; i++)
        messages[i] = (struct test_message){
            .payload = {i == 20 ? large : small,
                        i == 20 ? sizeof large : sizeof small}};
    broker_create_topic_set(rig->address, 1, "max.message.bytes", "30000",
                            rig->topic, sizeof rig->topic);
    test_settings_set(rig->settings, "topic", rig->topic);
    sink_rig_open(rig);
    assert_int_equal(sink_rig_see_through(rig, test_batch_create(messages, 40)),
                     1);
    arrived = sink_rig_read(rig, rig->topic);
    assert_int_equal(arrived->count, 39);
    arrived_destroy(arrived);
}

/* A compacted topic takes no message without a key; the broker refuses the
 * batch, and doesn't say for which message. */
static void a_message_that_spoils_its_batch_is_rejected_alone(void **state)
{
    struct sink_rig *rig = *state;
    struct test_message messages[50];
    struct weir_batch *batch;
    struct arrived *arrived;
    char texts[50][8];

    for (size_t i = 0; i < 50; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%02zu", i);
        messages[i] = (struct test_message){
            .key = weir_str(i == 17 || i == 33 ? NULL : texts[i]),
            .payload = weir_str(texts[i])};
    }
    broker_create_topic_set(rig->address, 1, "cleanup.policy", "compact",
                            rig->topic, sizeof rig->topic);
    test_settings_set(rig->settings, "topic", rig->topic);
    batch = test_batch_create(messages, 50);
    sink_rig_open(rig);
    sink_rig_write(rig, batch);
    sink_rig_serve(rig, batch);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(test_batch_outcome(batch, i),
                         i == 17 || i == 33 ? WEIR_REJECT : WEIR_OK);
    arrived = sink_rig_read(rig, rig->topic);
    assert_int_equal(arrived->count, 48);
    arrived_destroy(arrived);
    test_batch_destroy(batch);
}

static void a_topic_that_is_created_later_is_waited_for(void **state)
{
    struct sink_rig *rig = *state;
    struct arrived *arrived;
    char texts[100];

    broker_unique_name("later", rig->topic, sizeof rig->topic);
    test_settings_set(rig->settings, "topic", rig->topic);
    rig->is_open = true;
    assert_int_equal(weir_kafka_sink.open(rig->self, rig->settings, &rig->err),
                     WEIR_RETRY);
    assert_non_null(strstr(rig->err.text, rig->topic));
    assert_non_null(strstr(rig->err.text, "create it"));
    broker_create_topic_named(rig->address, 1, rig->topic);
    sink_rig_reopen(rig);
    assert_int_equal(sink_rig_see_through(rig, sink_rig_batch(rig, 0, 2, "k")),
                     0);
    arrived = sink_rig_read(rig, rig->topic);
    assert_string_equal(arrived_texts(arrived, 0, texts, sizeof texts),
                        "0000 0001");
    arrived_destroy(arrived);
}

/* Of a template: it is known only with a message. */
static struct weir_batch *one_to_nowhere(const struct sink_rig *rig,
                                         const struct weir_header *headers)
{
    const struct test_message messages[] = {
        {.payload = {"a", 1}, .headers = &headers[0], .header_count = 1},
        {.payload = {"b", 1}, .headers = &headers[1], .header_count = 1},
        {.payload = {"c", 1}, .headers = &headers[0], .header_count = 1}};

    test_settings_set(rig->settings, "topic", "%{header.to}");
    test_settings_set(rig->settings,
                      "properties.topic.metadata.propagation.max.ms", "500");
    return test_batch_create(messages, 3);
}

static void an_unknown_topic_rejects_its_message_alone_when_told(void **state)
{
    struct sink_rig *rig = *state;
    const struct weir_header headers[] = {
        {.name = weir_str("to"), .value = weir_str(rig->topic)},
        {.name = weir_str("to"), .value = weir_str("nowhere")}};
    struct weir_batch *batch = one_to_nowhere(rig, headers);
    struct arrived *arrived;
    char texts[100];

    test_settings_set(rig->settings, "unknown_topic", "reject");
    sink_rig_open(rig);
    sink_rig_write(rig, batch);
    sink_rig_serve(rig, batch);
    assert_int_equal(test_batch_outcome(batch, 1), WEIR_REJECT);
    assert_non_null(strstr(test_batch_reason(batch, 1), "'nowhere'"));
    arrived = sink_rig_read(rig, rig->topic);
    assert_string_equal(arrived_texts(arrived, 0, texts, sizeof texts), "a c");
    arrived_destroy(arrived);
    test_batch_destroy(batch);
}

static void an_unknown_topic_is_waited_for_and_said(void **state)
{
    struct sink_rig *rig = *state;
    char later[80];
    struct weir_header headers[] = {
        {.name = weir_str("to"), .value = weir_str(rig->topic)},
        {.name = weir_str("to")}};
    struct weir_batch *batch, *rest;

    broker_unique_name("later", later, sizeof later);
    headers[1].value = weir_str(later);
    batch = one_to_nowhere(rig, headers);
    sink_rig_open(rig);
    sink_rig_write(rig, batch);
    sink_rig_await_retry(rig);
    assert_non_null(strstr(rig->err.text, later));
    assert_int_equal(test_batch_open_count(batch), 1);
    broker_create_topic_named(rig->address, 1, later);
    sink_rig_reopen(rig);
    rest = test_batch_rest(batch);
    assert_int_equal(sink_rig_see_through(rig, rest), 0);
    test_batch_destroy(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_of_a_message_arrives),
        TEST(a_key_may_be_made_from_a_template),
        TEST(a_topic_may_be_made_from_a_template),
        TEST(a_message_too_large_for_its_topic_is_rejected_alone),
        TEST(a_topic_that_is_created_later_is_waited_for),
        TEST(an_unknown_topic_rejects_its_message_alone_when_told),
        TEST(an_unknown_topic_is_waited_for_and_said),
        TEST(a_message_that_spoils_its_batch_is_rejected_alone),
    };
    return cmocka_run_group_tests_name("kafka_sink_arrival", tests, NULL, NULL);
}
