/*
 * format_test.c - batches as lines and as JSON, read back by another library.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "failing_alloc.h"
#include "format.h"
#include "test_batch.h"

struct fixture {
    struct format_text text;
    struct weir_batch *batch;
};

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *const fixture = *state;

    format_text_finish(&fixture->text);
    test_batch_destroy(fixture->batch);
    free(fixture);
    return 0;
}

static void render(struct fixture *fixture, enum format_kind kind)
{
    assert_int_equal(format_batch(&fixture->text, kind, fixture->batch, NULL),
                     WEIR_OK);
}

static void assert_text(const struct fixture *fixture, const char *expected)
{
    assert_int_equal(fixture->text.buffer.size, strlen(expected));
    assert_memory_equal(fixture->text.buffer.data, expected, strlen(expected));
}

/* The JSON object of the only message. */
static json_t *render_one(struct fixture *fixture,
                          const struct test_message *message)
{
    json_error_t error;
    json_t *object;

    test_batch_destroy(fixture->batch);
    fixture->batch = test_batch_create(message, 1);
    render(fixture, FORMAT_JSON);
    assert_int_equal(fixture->text.buffer.data[fixture->text.buffer.size - 1],
                     '\n');
    assert_null(
        memchr(fixture->text.buffer.data, '\n', fixture->text.buffer.size - 1));
    object = json_loadb(fixture->text.buffer.data, fixture->text.buffer.size,
                        JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!object)
        fail_msg("%s", error.text);
    return object;
}

static void assert_string(const json_t *object, const char *name,
                          const char *expected)
{
    assert_string_equal(json_string_value(json_object_get(object, name)),
                        expected);
}

static void lines_are_payloads_with_newlines(void **state)
{
    struct fixture *const fixture = *state;
    const char *const payloads[] = {"one", "", "two\r", NULL};

    fixture->batch = test_batch_of(payloads);
    render(fixture, FORMAT_LINES);
    assert_text(fixture, "one\n\ntwo\r\n");
    format_settle(&fixture->text, fixture->batch, 0, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(test_batch_outcome(fixture->batch, i), WEIR_OK);
}

static void a_null_payload_is_an_empty_line(void **state)
{
    struct fixture *const fixture = *state;
    const struct test_message message = {.topic = "t"};

    fixture->batch = test_batch_create(&message, 1);
    render(fixture, FORMAT_LINES);
    assert_text(fixture, "\n");
}

static void a_payload_with_a_newline_in_it_is_refused_in_lines(void **state)
{
    struct fixture *const fixture = *state;
    const char *const payloads[] = {"a\nb", "good", "c\n", "\n", "fine", NULL};
    const enum weir_status expected[] = {WEIR_REJECT, WEIR_OK, WEIR_REJECT,
                                         WEIR_REJECT, WEIR_OK};

    fixture->batch = test_batch_of(payloads);
    render(fixture, FORMAT_LINES);
    assert_text(fixture, "good\nfine\n");
    format_settle(&fixture->text, fixture->batch, 0, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(test_batch_outcome(fixture->batch, i), expected[i]);
    assert_non_null(
        strstr(test_batch_reason(fixture->batch, 0), "format: json"));
}

static void a_part_of_a_batch_can_be_settled(void **state)
{
    struct fixture *const fixture = *state;
    const char *const payloads[] = {"a", "b", "c", NULL};

    fixture->batch = test_batch_of(payloads);
    render(fixture, FORMAT_LINES);
    assert_int_equal(fixture->text.ends[0], 2);
    assert_int_equal(fixture->text.ends[1], 4);
    format_settle(&fixture->text, fixture->batch, 0, 2);
    assert_int_equal(test_batch_open_count(fixture->batch), 1);
    assert_false(test_batch_has_outcome(fixture->batch, 2));
}

static void the_envelope_has_all_metadata(void **state)
{
    const struct weir_header headers[] = {{weir_str("kind"), weir_str("first")},
                                          {weir_str("kind"), weir_str("again")},
                                          {weir_str("absent"), {0}}};
    const struct test_message message = {.topic = "orders",
                                         .partition = 3,
                                         .offset = 9007199254740993,
                                         .timestamp_ms = 1700000000123,
                                         .key = weir_str("k"),
                                         .payload = weir_str("p"),
                                         .batch_key = weir_str("b"),
                                         .headers = headers,
                                         .header_count = 3};
    json_t *const object = render_one(*state, &message);
    const json_t *const list = json_object_get(object, "headers");

    assert_int_equal(json_object_size(object), 8);
    assert_string(object, "topic", "orders");
    assert_int_equal(json_integer_value(json_object_get(object, "partition")),
                     3);
    assert_true(json_integer_value(json_object_get(object, "offset")) ==
                9007199254740993);
    assert_true(json_integer_value(json_object_get(object, "timestamp")) ==
                1700000000123);
    assert_string(object, "key", "k");
    assert_string(object, "batch_key", "b");
    assert_string(object, "payload", "p");
    assert_int_equal(json_array_size(list), 3);
    assert_string(json_array_get(list, 1), "name", "kind");
    assert_string(json_array_get(list, 1), "value", "again");
    assert_true(
        json_is_null(json_object_get(json_array_get(list, 2), "value")));
    json_decref(object);
}

static void what_is_absent_is_null_and_what_is_empty_is_empty(void **state)
{
    const struct test_message message = {.topic = "t",
                                         .partition = -1,
                                         .offset = -1,
                                         .timestamp_ms = -1,
                                         .key = {"", 0}};
    json_t *const object = render_one(*state, &message);

    assert_true(json_is_null(json_object_get(object, "partition")));
    assert_true(json_is_null(json_object_get(object, "offset")));
    assert_true(json_is_null(json_object_get(object, "timestamp")));
    assert_true(json_is_null(json_object_get(object, "payload")));
    assert_true(json_is_null(json_object_get(object, "batch_key")));
    assert_string(object, "key", "");
    json_decref(object);
}

static void every_character_survives_the_envelope(void **state)
{
    /* A euro sign, and what has to be escaped around it. */
    static const unsigned char tail[] = {0xE2, 0x82, 0xAC, '"',
                                         '\\', 0xC3, 0xA4, '.'};
    char payload[0x80 + sizeof tail];
    struct test_message message = {.topic = "t"};
    json_t *object;
    const json_t *text;

    for (int i = 0; i < 0x80; i++)
        payload[i] = (char)i;
    memcpy(payload + 0x80, tail, sizeof tail);
    message.payload = (struct weir_bytes){payload, sizeof payload};
    object = render_one(*state, &message);
    text = json_object_get(object, "payload");
    assert_int_equal(json_string_length(text), sizeof payload);
    assert_memory_equal(json_string_value(text), payload, sizeof payload);
    json_decref(object);
}

static void what_is_not_utf8_is_base64_under_another_name(void **state)
{
    static const char *const expected[] = {"/w==", "//4=", "//79", "//79/A=="};
    const char bytes[] = "\xFF\xFE\xFD\xFC";

    for (size_t size = 1; size <= 4; size++) {
        const struct weir_header header = {{bytes, size}, {bytes, size}};
        const struct test_message message = {.topic = "t",
                                             .key = {bytes, size},
                                             .payload = {bytes, size},
                                             .batch_key = {bytes, size},
                                             .headers = &header,
                                             .header_count = 1};
        json_t *const object = render_one(*state, &message);
        const json_t *const first =
            json_array_get(json_object_get(object, "headers"), 0);

        assert_null(json_object_get(object, "payload"));
        assert_string(object, "payload_base64", expected[size - 1]);
        assert_string(object, "key_base64", expected[size - 1]);
        assert_string(object, "batch_key_base64", expected[size - 1]);
        assert_string(first, "name_base64", expected[size - 1]);
        assert_string(first, "value_base64", expected[size - 1]);
        json_decref(object);
    }
}

static void a_large_payload_makes_the_buffer_grow(void **state)
{
    enum { SIZE = 1024 * 1024 };
    char *const payload = malloc(SIZE);
    struct test_message message = {.topic = "t"};
    json_t *object;

    assert_non_null(payload);
    memset(payload, '"', SIZE);
    message.payload = (struct weir_bytes){payload, SIZE};
    object = render_one(*state, &message);
    assert_int_equal(json_string_length(json_object_get(object, "payload")),
                     SIZE);
    json_decref(object);
    free(payload);
}

static void without_memory_the_batch_is_tried_again(void **state)
{
    struct fixture *const fixture = *state;
    const char *const payloads[] = {"one", "two", NULL};
    unsigned failures = 0;

    fixture->batch = test_batch_of(payloads);
    for (unsigned nth = 1;; nth++) {
        struct weir_error err = {0};
        enum weir_status status;

        format_text_finish(&fixture->text);
        failing_alloc_arm(nth);
        status =
            format_batch(&fixture->text, FORMAT_JSON, fixture->batch, &err);
        if (!failing_alloc_disarm()) {
            assert_int_equal(status, WEIR_OK);
            break;
        }
        failures++;
        assert_int_equal(status, WEIR_RETRY);
        assert_string_not_equal(err.text, "");
    }
    assert_true(failures >= 2);
    assert_int_equal(test_batch_open_count(fixture->batch), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_are_payloads_with_newlines),
        TEST(a_null_payload_is_an_empty_line),
        TEST(a_payload_with_a_newline_in_it_is_refused_in_lines),
        TEST(a_part_of_a_batch_can_be_settled),
        TEST(the_envelope_has_all_metadata),
        TEST(what_is_absent_is_null_and_what_is_empty_is_empty),
        TEST(every_character_survives_the_envelope),
        TEST(what_is_not_utf8_is_base64_under_another_name),
        TEST(a_large_payload_makes_the_buffer_grow),
        TEST(without_memory_the_batch_is_tried_again),
    };

    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
