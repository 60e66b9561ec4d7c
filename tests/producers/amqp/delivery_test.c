/*
 * delivery_test.c - headers and properties keep what was sent, as text.
 */
#include "test.h"

#include <string.h>

#include "delivery.h"

static int setup(void **state)
{
    *state = delivery_create();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    delivery_destroy(*state);
    return 0;
}

static amqp_bytes_t text_of(const char *text)
{
    return amqp_cstring_bytes(text);
}

static void begin(struct delivery *delivery,
                  const amqp_basic_properties_t *properties)
{
    const amqp_basic_deliver_t deliver = {.delivery_tag = 42,
                                          .redelivered = 1,
                                          .exchange = text_of("ex"),
                                          .routing_key = text_of("k")};

    assert_int_equal(delivery_begin(delivery, "q", &deliver, properties, NULL),
                     WEIR_OK);
}

static void begin_with(struct delivery *delivery, amqp_table_entry_t *entries,
                       int count)
{
    const amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_HEADERS_FLAG,
        .headers = {.num_entries = count, .entries = entries}};

    begin(delivery, &properties);
}

static void expect(const struct weir_header *fields, size_t count,
                   const char *name, const char *value)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].name.size != strlen(name) ||
            memcmp(fields[i].name.data, name, strlen(name)) != 0)
            continue;
        assert_int_equal(fields[i].value.size, strlen(value));
        assert_memory_equal(fields[i].value.data, value, strlen(value));
        return;
    }
    fail_msg("no %s", name);
}

static void expect_property(const struct delivery *delivery, const char *name,
                            const char *value)
{
    expect(delivery->record.properties, delivery->record.property_count, name,
           value);
}

static void a_bare_message_has_where_it_came_from(void **state)
{
    struct delivery *delivery = *state;
    const amqp_basic_properties_t none = {._flags = 0};

    begin(delivery, &none);

    assert_int_equal(delivery->record.ticket, 42);
    assert_int_equal(delivery->record.offset, -1);
    assert_int_equal(delivery->record.timestamp_ms, -1);
    assert_int_equal(delivery->record.deliveries, 0);
    assert_int_equal(delivery->broker_count, -1);
    assert_null(delivery->record.key.data);
    assert_non_null(delivery->record.payload.data);
    assert_int_equal(delivery->record.property_count, 3);
    expect_property(delivery, "exchange", "ex");
    expect_property(delivery, "routing_key", "k");
    expect_property(delivery, "redelivered", "true");
}

static void every_property_that_was_sent_is_there(void **state)
{
    struct delivery *delivery = *state;
    const amqp_basic_properties_t all = {
        ._flags = 0xffffffffU & ~(amqp_flags_t)AMQP_BASIC_HEADERS_FLAG,
        .content_type = text_of("a"),
        .content_encoding = text_of("b"),
        .delivery_mode = 2,
        .priority = 9,
        .correlation_id = text_of("c"),
        .reply_to = text_of("d"),
        .expiration = text_of("5000"),
        .message_id = text_of("e"),
        .timestamp = 1700000000,
        .type = text_of("f"),
        .user_id = text_of("g"),
        .app_id = text_of("")};

    begin(delivery, &all);

    assert_int_equal(delivery->record.timestamp_ms, 1700000000000);
    expect_property(delivery, "content_type", "a");
    expect_property(delivery, "content_encoding", "b");
    expect_property(delivery, "delivery_mode", "2");
    expect_property(delivery, "priority", "9");
    expect_property(delivery, "correlation_id", "c");
    expect_property(delivery, "reply_to", "d");
    expect_property(delivery, "expiration", "5000");
    expect_property(delivery, "message_id", "e");
    expect_property(delivery, "type", "f");
    expect_property(delivery, "user_id", "g");
    expect_property(delivery, "app_id", "");
}

static void headers_become_text(void **state)
{
    struct delivery *delivery = *state;
    amqp_table_entry_t entries[] = {
        {.key = text_of("text"),
         .value = {.kind = AMQP_FIELD_KIND_UTF8,
                   .value = {.bytes = text_of("v\xff")}}},
        {.key = text_of("small"),
         .value = {.kind = AMQP_FIELD_KIND_I8, .value = {.i8 = -128}}},
        {.key = text_of("large"),
         .value = {.kind = AMQP_FIELD_KIND_I64, .value = {.i64 = INT64_MIN}}},
        {.key = text_of("flag"),
         .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value = {.boolean = 1}}},
        {.key = text_of("time"),
         .value = {.kind = AMQP_FIELD_KIND_TIMESTAMP,
                   .value = {.u64 = 1700000000}}},
        {.key = text_of("real"),
         .value = {.kind = AMQP_FIELD_KIND_F64, .value = {.f64 = 0.5}}},
        {.key = text_of("void"), .value = {.kind = AMQP_FIELD_KIND_VOID}},
    };
    const struct weir_record *record = &delivery->record;

    begin_with(delivery, entries, 7);

    assert_int_equal(record->header_count, 7);
    expect(record->headers, 7, "text", "v\xff");
    expect(record->headers, 7, "small", "-128");
    expect(record->headers, 7, "large", "-9223372036854775808");
    expect(record->headers, 7, "flag", "true");
    expect(record->headers, 7, "time", "1700000000");
    expect(record->headers, 7, "real", "0.5");
    assert_null(record->headers[6].value.data);
}

static void a_quorum_queues_count_is_the_number_of_deliveries(void **state)
{
    struct delivery *delivery = *state;
    amqp_table_entry_t entries[] = {
        {.key = text_of("x-delivery-count"),
         .value = {.kind = AMQP_FIELD_KIND_I64, .value = {.i64 = 3}}}};

    begin_with(delivery, entries, 1);
    assert_int_equal(delivery->record.deliveries, 3);
    assert_int_equal(delivery->broker_count, 3);

    entries[0].value.value.i64 = -1;
    begin_with(delivery, entries, 1);
    assert_int_equal(delivery->record.deliveries, 0);
}

static amqp_field_value_t death(amqp_table_entry_t *entries, const char *queue,
                                const char *reason, int64_t count)
{
    entries[0] =
        (amqp_table_entry_t){.key = text_of("queue"),
                             .value = {.kind = AMQP_FIELD_KIND_UTF8,
                                       .value = {.bytes = text_of(queue)}}};
    entries[1] =
        (amqp_table_entry_t){.key = text_of("reason"),
                             .value = {.kind = AMQP_FIELD_KIND_UTF8,
                                       .value = {.bytes = text_of(reason)}}};
    entries[2] = (amqp_table_entry_t){
        .key = text_of("count"),
        .value = {.kind = AMQP_FIELD_KIND_I64, .value = {.i64 = count}}};
    return (amqp_field_value_t){
        .kind = AMQP_FIELD_KIND_TABLE,
        .value = {.table = {.num_entries = 3, .entries = entries}}};
}

static void only_rejections_from_this_queue_count_as_deliveries(void **state)
{
    struct delivery *delivery = *state;
    amqp_table_entry_t fields[4][3];
    amqp_field_value_t deaths[] = {
        death(fields[0], "q", "rejected", 2),
        death(fields[1], "q", "expired", 10),
        death(fields[2], "other", "rejected", 100),
        {.kind = AMQP_FIELD_KIND_I8},
    };
    amqp_table_entry_t entries[] = {
        {.key = text_of("x-death"),
         .value = {.kind = AMQP_FIELD_KIND_ARRAY,
                   .value = {.array = {.num_entries = 4, .entries = deaths}}}}};

    begin_with(delivery, entries, 1);

    assert_int_equal(delivery->record.deliveries, 2);
    assert_int_equal(delivery->broker_count, -1);
    assert_null(delivery->record.headers[0].value.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_bare_message_has_where_it_came_from),
        TEST(every_property_that_was_sent_is_there),
        TEST(headers_become_text),
        TEST(a_quorum_queues_count_is_the_number_of_deliveries),
        TEST(only_rejections_from_this_queue_count_as_deliveries),
    };
    return cmocka_run_group_tests_name("amqp_delivery", tests, NULL, NULL);
}
