/*
 * otlp_test.c - spans of any names are JSON, and answers of any kind are read.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "otlp.h"

static const struct otlp_resource resource = {
    .service = "p", .host = "h", .system = "kafka", .wall_us = 1000000};

/* The value of that attribute of the only span. */
static const char *attribute(const json_t *span, const char *key)
{
    const json_t *list = json_object_get(span, "attributes"), *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "key")), key) == 0)
            return json_string_value(
                json_object_get(json_object_get(one, "value"), "stringValue"));
    }
    return NULL;
}

static json_t *request(const struct span_record *spans, size_t count)
{
    char *text = otlp_request(&resource, spans, count);
    json_t *tree;

    assert_non_null(text);
    tree = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(tree);
    free(text);
    return tree;
}

static json_t *spans_of(const json_t *tree)
{
    const json_t *scope = json_array_get(
        json_object_get(
            json_array_get(json_object_get(tree, "resourceSpans"), 0),
            "scopeSpans"),
        0);

    return json_object_get(scope, "spans");
}

static void names_of_any_bytes_are_text(void **state)
{
    const struct span_record record = {.traced = {.trace_id = "0123",
                                                  .span_id = "45",
                                                  .source = "a\"b\\c\nd\x01",
                                                  .partition = -1,
                                                  .begin_us = 5,
                                                  .end_us = 7},
                                       .is_failed = true,
                                       .reason = "gr\xfcn \"x\""};
    json_t *tree, *span;

    (void)state;
    tree = request(&record, 1);
    span = json_array_get(spans_of(tree), 0);
    assert_string_equal(attribute(span, "messaging.destination.name"),
                        "a\"b\\c\nd\x01");
    assert_null(attribute(span, "messaging.destination.partition.id"));
    assert_null(json_object_get(span, "parentSpanId"));
    assert_string_equal(
        json_string_value(json_object_get(span, "startTimeUnixNano")),
        "1000005000");
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(span, "status"), "message")),
                        "gr?n \"x\"");
    json_decref(tree);
}

static void many_are_one_request(void **state)
{
    const struct span_record records[3] = {
        {.traced = {.kind = TRACED_SEND, .source = "t", .batcher = "b"}},
        {.traced = {.source = "t"}},
        {.traced = {.source = "t"}}};
    json_t *tree;

    (void)state;
    tree = request(records, 3);
    assert_int_equal(json_array_size(spans_of(tree)), 3);
    json_decref(tree);
    tree = request(records, 0);
    assert_int_equal(json_array_size(spans_of(tree)), 0);
    json_decref(tree);
}

static void assert_refused(const char *body, uint64_t count)
{
    assert_int_equal(otlp_refused(body, strlen(body)), count);
}

static void an_answer_of_any_kind_is_read(void **state)
{
    (void)state;
    assert_refused("{\"partialSuccess\":{\"rejectedSpans\":\"7\"}}", 7);
    assert_refused("{\"partialSuccess\":{\"rejectedSpans\":7}}", 7);
    assert_refused("{\"partialSuccess\":{\"rejectedSpans\":-7}}", 0);
    assert_refused("{\"partialSuccess\":{}}", 0);
    assert_refused("{\"partialSuccess\":7}", 0);
    assert_refused("[]", 0);
    assert_refused("", 0);
    assert_refused("nonsense", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(names_of_any_bytes_are_text),
        TEST_ALONE(many_are_one_request),
        TEST_ALONE(an_answer_of_any_kind_is_read),
    };

    return cmocka_run_group_tests_name("otlp", tests, NULL, NULL);
}
