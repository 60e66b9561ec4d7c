/*
 * options_test.c - what of a Kafka sink is refused without a connection.
 */
#include "test.h"

#include <string.h>

#include "kafka_sink.h"
#include "kafka_target.h"
#include "test_settings.h"

static int setup(void **state)
{
    struct weir_settings *settings =
        test_settings_create(weir_kafka_sink.options);

    test_settings_set(settings, "brokers", "localhost:9092");
    test_settings_set(settings, "topic", "out");
    test_settings_share(settings)->memory = (size_t)16 << 20;
    *state = settings;
    return 0;
}

static int teardown(void **state)
{
    test_settings_destroy(*state);
    return 0;
}

static void assert_refuses(struct weir_settings *settings, const char *text)
{
    const char *said;

    weir_kafka_sink.check(settings);
    said = test_settings_take_refusals(settings);
    if (!strstr(said, text))
        fail_msg("'%s' is not in '%s'", text, said);
}

static void sound_settings_are_not_refused(void **state)
{
    weir_kafka_sink.check(*state);
    assert_string_equal(test_settings_take_refusals(*state), "");
    test_settings_set(*state, "topic", "%{header.to}/not judged yet");
    weir_kafka_sink.check(*state);
    assert_string_equal(test_settings_take_refusals(*state), "");
}

static void a_topic_that_can_not_be_one_is_refused(void **state)
{
    test_settings_set(*state, "topic", "a/b");
    assert_refuses(*state, "topic: 'a/b' is no topic: only letters");
    assert_non_null(kafka_target_refusal(weir_str("")));
    assert_non_null(kafka_target_refusal(weir_str(".")));
    assert_non_null(kafka_target_refusal(weir_str("..")));
    assert_non_null(kafka_target_refusal((struct weir_bytes){"a\0b", 3}));
    assert_null(kafka_target_refusal(weir_str("a.B_c-9")));
}

static void a_share_smaller_than_one_message_is_refused(void **state)
{
    test_settings_share(*state)->memory = 1000;
    assert_refuses(*state,
                   "raise `memory`, or lower the batcher's concurrency");
}

static void a_property_that_weir_owns_is_refused(void **state)
{
    test_settings_set(*state, "properties.compression.type", "lz4");
    assert_refuses(*state, "use `compression` instead");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sound_settings_are_not_refused),
        TEST(a_topic_that_can_not_be_one_is_refused),
        TEST(a_share_smaller_than_one_message_is_refused),
        TEST(a_property_that_weir_owns_is_refused),
    };
    return cmocka_run_group_tests_name("kafka_sink_options", tests, NULL, NULL);
}
