/*
 * options_test.c - what can't work is refused before anything connects.
 */
#include "test.h"

#include <string.h>

#include "options.h"
#include "test_settings.h"

static int setup(void **state)
{
    struct weir_settings *settings =
        test_settings_create(amqp_producer_options);

    test_settings_set(settings, "url", "amqp://broker");
    test_settings_set(settings, "queue", "q");
    test_settings_share(settings)->in_flight = 500;
    test_settings_share(settings)->memory = (size_t)1 << 30;
    *state = settings;
    return 0;
}

static int teardown(void **state)
{
    test_settings_destroy(*state);
    return 0;
}

static void expect(struct weir_settings *settings, const char *refusal)
{
    const char *refusals;

    options_check(settings);
    refusals = test_settings_take_refusals(settings);
    if (refusal[0] == '\0')
        assert_string_equal(refusals, "");
    if (!strstr(refusals, refusal))
        fail_msg("no '%s' in: %s", refusal, refusals);
}

static void a_plain_queue_is_accepted(void **state)
{
    expect(*state, "");
    assert_int_equal(options_prefetch(*state), 500);
}

static void prefetch_fits_the_memory(void **state)
{
    test_settings_share(*state)->memory = 7 * 1024 * 1024 + 1;
    expect(*state, "");
    assert_int_equal(options_prefetch(*state), 7);

    test_settings_share(*state)->memory = 1000;
    assert_int_equal(options_prefetch(*state), 1);
}

static void a_written_prefetch_that_can_fill_no_batch_is_refused(void **state)
{
    test_settings_set(*state, "prefetch", "99");
    expect(*state, "prefetch: 99 messages can't fill a batch of 100");
    test_settings_set(*state, "prefetch", "100");
    expect(*state, "");
}

static void a_written_prefetch_that_fits_no_memory_is_refused(void **state)
{
    test_settings_set(*state, "prefetch", "1025");
    expect(*state, "at most 1024 do");
    test_settings_set(*state, "prefetch", "1024");
    expect(*state, "");
    assert_int_equal(options_prefetch(*state), 1024);
}

static void a_message_that_may_be_held_beyond_the_consumer_timeout_is_warned_of(
    void **state)
{
    struct weir_share *share = test_settings_share(*state);

    share->held_us = 1800 * INT64_C(1000000);
    expect(*state, "");
    share->held_us++;
    options_check(*state);
    assert_non_null(strstr(test_settings_take_warnings(*state),
                           "for 1800 s (consumer_timeout)"));

    test_settings_set(*state, "declare.arguments.x-consumer-timeout",
                      "3600000");
    options_check(*state);
    assert_string_equal(test_settings_take_warnings(*state), "");
    test_settings_set(*state, "declare.arguments.x-consumer-timeout", "60000");
    options_check(*state);
    assert_non_null(
        strstr(test_settings_take_warnings(*state), "keeps one for 60 s"));
}

static void a_broken_url_is_named_by_its_place(void **state)
{
    test_settings_set(*state, "url", "amqp://a,amqp://u:secret@b:0");
    options_check(*state);
    assert_string_equal(test_settings_take_refusals(*state),
                        "url: URL 2 of 2 can't be used: the port must be a "
                        "number from 1 to 65535\n");
}

static void order_needs_the_only_consumer(void **state)
{
    struct weir_share *share = test_settings_share(*state);

    share->ordering = WEIR_ORDERING_PARTITION;
    share->policy = WEIR_POLICY_DROP;
    expect(*state, "exclusive: order needs the queue's only consumer");
    test_settings_set(*state, "declare.arguments.x-single-active-consumer",
                      "true");
    expect(*state, "");
    test_settings_set(*state, "declare.arguments.x-single-active-consumer",
                      "false");
    test_settings_set(*state, "exclusive", "true");
    expect(*state, "");
    share->count = 2;
    expect(*state, "order needs one consumer");
}

static void order_in_a_quorum_queue_needs_its_single_active_consumer(
    void **state)
{
    struct weir_share *share = test_settings_share(*state);

    share->ordering = WEIR_ORDERING_PARTITION;
    share->policy = WEIR_POLICY_DROP;
    test_settings_set(*state, "exclusive", "true");
    test_settings_set(*state, "declare.type", "classic");
    expect(*state, "");
    test_settings_set(*state, "declare.type", "quorum");
    expect(*state, "exclusive: a quorum queue lets several consumers be "
                   "exclusive");
    test_settings_set(*state, "declare.arguments.x-single-active-consumer",
                      "true");
    expect(*state, "");
}

static void order_excludes_requeue_unless_accepted(void **state)
{
    struct weir_share *share = test_settings_share(*state);

    test_settings_set(*state, "exclusive", "true");
    share->ordering = WEIR_ORDERING_PARTITION;
    share->policy = WEIR_POLICY_REQUEUE_ONCE;
    expect(*state, "comes back behind later ones");
    share->requeue_breaks_order = true;
    expect(*state, "");
}

static void order_by_key_needs_to_know_the_key(void **state)
{
    struct weir_share *share = test_settings_share(*state);

    test_settings_set(*state, "exclusive", "true");
    share->ordering = WEIR_ORDERING_KEY;
    share->policy = WEIR_POLICY_DROP;
    expect(*state, "\"%{routing_key}\"");
    share->ordering_key = "%{routing_key}";
    expect(*state, "");
}

static void a_declaration_that_no_broker_takes_is_refused(void **state)
{
    test_settings_set(*state, "declare.type", "quorum");
    test_settings_set(*state, "declare.durable", "false");
    expect(*state, "declare.durable: a quorum queue is always durable");
    test_settings_set(*state, "declare.arguments.x-max-length", "many");
    expect(*state, "x-max-length must be a whole number");
    test_settings_set(*state, "declare.arguments.x-queue-type", "stream");
    expect(*state, "x-queue-type is said by declare.type");
}

static void a_certificate_comes_with_its_key(void **state)
{
    test_settings_set(*state, "tls.cert", "c.pem");
    expect(*state, "tls.cert: tls.cert and tls.key are given together");
}

static void a_name_has_the_protocols_size(void **state)
{
    test_settings_set(*state, "consumer_tag", "");
    expect(*state, "consumer_tag: it must have 1 to 255 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_queue_is_accepted),
        TEST(prefetch_fits_the_memory),
        TEST(a_written_prefetch_that_can_fill_no_batch_is_refused),
        TEST(a_written_prefetch_that_fits_no_memory_is_refused),
        TEST(
            a_message_that_may_be_held_beyond_the_consumer_timeout_is_warned_of),
        TEST(a_broken_url_is_named_by_its_place),
        TEST(order_needs_the_only_consumer),
        TEST(order_in_a_quorum_queue_needs_its_single_active_consumer),
        TEST(order_excludes_requeue_unless_accepted),
        TEST(order_by_key_needs_to_know_the_key),
        TEST(a_declaration_that_no_broker_takes_is_refused),
        TEST(a_certificate_comes_with_its_key),
        TEST(a_name_has_the_protocols_size),
    };
    return cmocka_run_group_tests_name("amqp_options", tests, NULL, NULL);
}
