/*
 * sink_options_test.c - what is refused before anything connects.
 */
#include "test.h"

#include <string.h>

#include "amqp_sink.h"
#include "test_settings.h"

static int setup(void **state)
{
    *state = test_settings_create(weir_amqp_sink.options);
    return 0;
}

static int teardown(void **state)
{
    test_settings_destroy(*state);
    return 0;
}

static void expect(struct weir_settings *settings, const char *word)
{
    const char *refusals;

    weir_amqp_sink.check(settings);
    refusals = test_settings_take_refusals(settings);
    if (word[0] == '\0' && refusals[0] != '\0')
        fail_msg("refused: %s", refusals);
    if (!strstr(refusals, word))
        fail_msg("no '%s' in: %s", word, refusals);
    assert_null(strstr(refusals, "hunter2"));
}

static void a_destination_has_a_name(void **state)
{
    struct weir_settings *settings = *state;

    test_settings_set(settings, "url", "amqp://weir:hunter2@h");
    expect(settings, "needs a destination");
    test_settings_set(settings, "routing_key", "orders");
    expect(settings, "");
    test_settings_set(settings, "routing_key", "");
    test_settings_set(settings, "exchange", "fanout");
    expect(settings, "");
}

static void urls_are_checked_without_being_shown(void **state)
{
    struct weir_settings *settings = *state;

    test_settings_set(settings, "routing_key", "orders");
    test_settings_set(settings, "url", "http://weir:hunter2@h");
    expect(settings, "URL 1 of 1 can't be used");
    test_settings_set(settings, "url", "amqps://weir:hunter2@h");
    test_settings_set(settings, "tls.cert", "/c.pem");
    expect(settings, "given together");
}

static void only_an_exchange_of_ours_is_declared(void **state)
{
    struct weir_settings *settings = *state;

    test_settings_set(settings, "url", "amqp://h");
    test_settings_set(settings, "routing_key", "orders");
    test_settings_set(settings, "declare.type", "topic");
    expect(settings, "the default exchange is always there");
    test_settings_set(settings, "exchange", "%{header.x}");
    expect(settings, "can't be declared before");
    test_settings_set(settings, "exchange", "amq.topic");
    expect(settings, "are the broker's");
    test_settings_set(settings, "exchange", "orders");
    expect(settings, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_destination_has_a_name),
        TEST(urls_are_checked_without_being_shown),
        TEST(only_an_exchange_of_ours_is_declared),
    };
    return cmocka_run_group_tests_name("amqp_sink_options", tests, NULL, NULL);
}
