/*
 * publication_test.c - what goes on of a message, and as what.
 */
#include "test.h"

#include <string.h>

#include "publication.h"
#include "sink_options.h"
#include "test_batch.h"
#include "test_settings.h"

#define HEADER(name_, value_)                                                  \
    {                                                                          \
        .name = WEIR_STR(name_), .value = WEIR_STR(value_)                     \
    }

struct fixture {
    struct weir_settings *settings;
    struct publication_plan plan;
    struct publication publication;
    struct weir_batch *batch;
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture =
        (struct fixture){.settings = test_settings_create(amqp_sink_options)};
    test_settings_set(fixture.settings, "exchange", "e.%{topic}");
    test_settings_set(fixture.settings, "routing_key", "k.%{key}");
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    publication_finish(&fixture->publication);
    publication_plan_finish(&fixture->plan);
    test_batch_destroy(fixture->batch);
    test_settings_destroy(fixture->settings);
    return 0;
}

static struct weir_message *message_of(struct fixture *fixture,
                                       const struct test_message *message)
{
    fixture->batch = test_batch_create(message, 1);
    return weir_batch_message(fixture->batch, 0);
}

static const amqp_basic_properties_t *make(struct fixture *fixture,
                                           const struct test_message *message)
{
    struct weir_error err = {.text = ""};
    struct weir_message *msg = message_of(fixture, message);

    assert_int_equal(
        publication_plan_read(&fixture->plan, fixture->settings, &err),
        WEIR_OK);
    if (publication_make(&fixture->publication, &fixture->plan, msg, &err) !=
        WEIR_OK)
        fail_msg("%s", err.text);
    return &fixture->publication.properties;
}

static void expect_text(amqp_bytes_t bytes, const char *text)
{
    assert_int_equal(bytes.len, strlen(text));
    assert_memory_equal(bytes.bytes, text, bytes.len);
}

static const amqp_field_value_t *find(const amqp_basic_properties_t *properties,
                                      const char *name)
{
    const amqp_field_value_t *found = NULL;

    for (int i = 0; i < properties->headers.num_entries; i++) {
        const amqp_table_entry_t *entry = &properties->headers.entries[i];

        if (entry->key.len == strlen(name) &&
            memcmp(entry->key.bytes, name, entry->key.len) == 0) {
            assert_null(found); /* names are unique */
            found = &entry->value;
        }
    }
    return found;
}

static void expect_header(const amqp_basic_properties_t *properties,
                          const char *name, const char *text)
{
    const amqp_field_value_t *value = find(properties, name);

    assert_non_null(value);
    assert_int_equal(value->kind, AMQP_FIELD_KIND_UTF8);
    expect_text(value->value.bytes, text);
}

static void names_are_filled_in_from_the_message(void **state)
{
    struct fixture *fixture = *state;
    const struct test_message message = {
        .topic = "t", .key = WEIR_STR("eu"), .payload = WEIR_STR("body")};

    (void)make(fixture, &message);
    expect_text(fixture->publication.method.exchange, "e.t");
    expect_text(fixture->publication.method.routing_key, "k.eu");
    assert_true(fixture->publication.method.mandatory);
    assert_int_equal(fixture->publication.body.size, 4);
    assert_true(publication_exchange_varies(&fixture->plan));
    assert_true(publication_routing_key_varies(&fixture->plan));
}

static void messages_are_persistent_unless_told_otherwise(void **state)
{
    struct fixture *fixture = *state;
    const struct weir_header transient = HEADER("delivery_mode", "1");
    const struct test_message message = {
        .key = WEIR_STR("k"), .properties = &transient, .property_count = 1};

    assert_int_equal(make(fixture, &message)->delivery_mode, 2);
    publication_plan_finish(&fixture->plan);
    test_batch_destroy(fixture->batch);
    test_settings_set(fixture->settings, "persistent", "false");
    test_settings_set(fixture->settings, "mandatory", "false");
    assert_int_equal(make(fixture, &message)->delivery_mode, 1);
    assert_false(fixture->publication.method.mandatory);
}

static void properties_go_on_but_the_user(void **state)
{
    const struct weir_header properties[] = {
        HEADER("content_type", "text/plain"), HEADER("message_id", "m"),
        HEADER("user_id", "somebody"),        HEADER("priority", "9"),
        HEADER("exchange", "from"),           HEADER("redelivered", "true")};
    struct fixture *fixture = *state;
    const struct test_message message = {.key = WEIR_STR("k"),
                                         .timestamp_ms = -1,
                                         .payload = WEIR_STR(""),
                                         .properties = properties,
                                         .property_count = 6};
    const amqp_basic_properties_t *made = make(fixture, &message);

    assert_int_equal(made->_flags, AMQP_BASIC_CONTENT_TYPE_FLAG |
                                       AMQP_BASIC_MESSAGE_ID_FLAG |
                                       AMQP_BASIC_PRIORITY_FLAG |
                                       AMQP_BASIC_DELIVERY_MODE_FLAG |
                                       AMQP_BASIC_HEADERS_FLAG);
    expect_text(made->content_type, "text/plain");
    expect_text(made->message_id, "m");
    assert_int_equal(made->priority, 9);
}

static void what_brokers_noted_does_not_go_on(void **state)
{
    const struct weir_header headers[] = {HEADER("x-death", "d"),
                                          HEADER("x-delivery-count", "3"),
                                          HEADER("x-first-death-queue", "q"),
                                          HEADER("x-last-death-queue", "q"),
                                          HEADER("CC", "other"),
                                          HEADER("BCC", "other"),
                                          HEADER("x-mine", "kept")};
    struct fixture *fixture = *state;
    const struct test_message message = {
        .key = WEIR_STR("k"), .headers = headers, .header_count = 7};
    const amqp_basic_properties_t *made = make(fixture, &message);

    expect_header(made, "x-mine", "kept");
    expect_header(made, "weir-key", "k");
    expect_header(made, "weir-payload-null", "true");
    assert_int_equal(made->headers.num_entries, 3);
}

static void of_repeated_headers_the_last_goes_on(void **state)
{
    const struct weir_header headers[] = {HEADER("h", "first"),
                                          {.name = WEIR_STR("absent")},
                                          HEADER("h", "last")};
    struct fixture *fixture = *state;
    const struct test_message message = {.key = WEIR_STR("k"),
                                         .payload = WEIR_STR("x"),
                                         .headers = headers,
                                         .header_count = 3};
    const amqp_basic_properties_t *made = make(fixture, &message);

    expect_header(made, "h", "last");
    assert_int_equal(find(made, "absent")->kind, AMQP_FIELD_KIND_VOID);
    assert_null(find(made, "weir-payload-null"));
}

static void milliseconds_go_on_in_a_header(void **state)
{
    struct fixture *fixture = *state;
    struct test_message message = {.key = WEIR_STR("k"),
                                   .timestamp_ms = 1700000000123};
    const amqp_basic_properties_t *made = make(fixture, &message);

    assert_int_equal(made->timestamp, 1700000000);
    assert_int_equal(find(made, "timestamp_in_ms")->value.i64, 1700000000123);
    publication_plan_finish(&fixture->plan);
    test_batch_destroy(fixture->batch);
    message.timestamp_ms = 1700000000000;
    made = make(fixture, &message);
    assert_int_equal(made->timestamp, 1700000000);
    assert_null(find(made, "timestamp_in_ms"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_filled_in_from_the_message),
        TEST(messages_are_persistent_unless_told_otherwise),
        TEST(properties_go_on_but_the_user),
        TEST(what_brokers_noted_does_not_go_on),
        TEST(of_repeated_headers_the_last_goes_on),
        TEST(milliseconds_go_on_in_a_header),
    };
    return cmocka_run_group_tests_name("amqp_publication", tests, NULL, NULL);
}
