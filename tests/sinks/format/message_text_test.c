/*
 * message_text_test.c - a template is filled in from a message.
 */
#include "test.h"

#include <string.h>

#include "message_text.h"
#include "test_batch.h"

static const struct weir_header headers[] = {
    {.name = {"x", 1}, .value = {"first", 5}},
    {.name = {"x", 1}, .value = {"last", 4}},
    {.name = {"null", 4}},
};
static const struct weir_header properties[] = {
    {.name = {"routing_key", 11}, .value = {"a.b", 3}},
};

static const struct test_message full = {
    .topic = "orders",
    .partition = 3,
    .offset = 17,
    .timestamp_ms = 1700000000000,
    .key = {"k\0", 2},
    .batch_key = {"eu", 2},
    .headers = headers,
    .header_count = 3,
    .properties = properties,
    .property_count = 1,
};

static const struct test_message bare = {
    .partition = -1, .offset = -1, .timestamp_ms = -1};

/* `absent`: the first place that is; NULL: none. */
static void assert_renders(const struct test_message *message, const char *text,
                           const char *expected, const char *absent)
{
    struct weir_batch *batch = test_batch_create(message, 1);
    struct template *template = NULL;
    const char *found = "unset";
    char out[200];
    size_t size;

    assert_int_equal(template_parse(text, &template, NULL), WEIR_OK);
    memset(out, '\0', sizeof out);
    size = message_text_render(template, weir_batch_message(batch, 0), out,
                               sizeof out - 1, &found);
    assert_string_equal(out, expected);
    assert_true(size >= strlen(expected));
    if (absent)
        assert_string_equal(found, absent);
    else
        assert_null(found);
    template_destroy(template);
    test_batch_destroy(batch);
}

static void every_kind_of_field_is_filled_in(void **state)
{
    (void)state;
    assert_renders(&full, "plain", "plain", NULL);
    assert_renders(&full, "%{topic}/%{partition}/%{offset}/%{timestamp}",
                   "orders/3/17/1700000000000", NULL);
    assert_renders(&full, "%{batch_key}-%{key}", "eu-k", NULL);
    assert_renders(&full, "%{header.x}.%{routing_key}", "last.a.b", NULL);
}

static void what_the_message_does_not_have_is_empty_and_named(void **state)
{
    (void)state;
    assert_renders(&full, "a-%{header.y}-%{exchange}", "a--", "header.y");
    assert_renders(&full, "a-%{header.null}", "a-", "header.null");
    assert_renders(&bare, "<%{key}>", "<>", "key");
    assert_renders(&bare, "<%{partition}>", "<>", "partition");
    assert_renders(&bare, "<%{offset}>", "<>", "offset");
    assert_renders(&bare, "<%{timestamp}>", "<>", "timestamp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_field_is_filled_in),
        cmocka_unit_test(what_the_message_does_not_have_is_empty_and_named),
    };
    return cmocka_run_group_tests_name("message_text", tests, NULL, NULL);
}
