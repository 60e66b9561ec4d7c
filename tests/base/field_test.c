/*
 * field_test.c - the names that a %{...} may have.
 */
#include "test.h"

#include "field.h"

static void assert_is(const char *name, enum field field, const char *rest)
{
    const char *found = NULL;

    assert_int_equal(field_parse(name, &found), field);
    assert_string_equal(found, rest);
}

static void headers_and_properties_keep_their_own_name(void **state)
{
    (void)state;
    assert_is("topic", FIELD_TOPIC, "");
    assert_is("batch_key", FIELD_BATCH_KEY, "");
    assert_is("header.a.b c", FIELD_HEADER, "a.b c");
    assert_is("header.topic", FIELD_HEADER, "topic");
    assert_is("routing_key", FIELD_PROPERTY, "routing_key");
}

static void anything_else_is_nothing_that_a_message_has(void **state)
{
    (void)state;
    assert_is("", FIELD_COUNT, "");
    assert_is("Topic", FIELD_COUNT, "");
    assert_is("topics", FIELD_COUNT, "");
    assert_is("header", FIELD_COUNT, "");
    assert_is("header.", FIELD_COUNT, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_and_properties_keep_their_own_name),
        cmocka_unit_test(anything_else_is_nothing_that_a_message_has),
    };
    return cmocka_run_group_tests_name("field", tests, NULL, NULL);
}
