/*
 * loop_test.c - dead letters that their own source would read.
 */
#include "test.h"

#include "amqp_producer.h"
#include "amqp_sink.h"
#include "test_settings.h"

struct fixture {
    struct weir_settings *source, *sink;
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture.source = test_settings_create(weir_amqp_producer.options);
    fixture.sink = test_settings_create(weir_amqp_sink.options);
    if (!fixture.source || !fixture.sink)
        return -1;
    test_settings_set(fixture.source, "queue", "orders");
    test_settings_set(fixture.source, "url", "amqp://one,amqp://two/shop");
    test_settings_set(fixture.sink, "url", "amqp://u:p@two:5672/shop");
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    test_settings_destroy(fixture->source);
    test_settings_destroy(fixture->sink);
    return 0;
}

static bool reads(struct fixture *fixture, const char *exchange,
                  const char *routing_key)
{
    test_settings_set(fixture->sink, "exchange", exchange);
    test_settings_set(fixture->sink, "routing_key", routing_key);
    return weir_amqp_producer.reads(fixture->source, fixture->sink);
}

static void the_default_exchange_leads_to_the_queue_of_that_name(void **state)
{
    assert_true(reads(*state, "", "orders"));
    assert_true(reads(*state, "", "%{topic}"));
    assert_false(reads(*state, "", "orders.dead"));
    assert_false(reads(*state, "", "%{routing_key}"));
    assert_false(reads(*state, "dead", "orders"));
}

static void another_broker_or_virtual_host_has_other_queues(void **state)
{
    struct fixture *fixture = *state;

    test_settings_set(fixture->sink, "url", "amqp://two");
    assert_false(reads(fixture, "", "orders"));
    test_settings_set(fixture->sink, "url", "amqp://two:5673/shop");
    assert_false(reads(fixture, "", "orders"));
    test_settings_set(fixture->sink, "url", "amqp://else,amqp://ONE");
    assert_true(reads(fixture, "", "orders"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_default_exchange_leads_to_the_queue_of_that_name),
        TEST(another_broker_or_virtual_host_has_other_queues),
    };
    return cmocka_run_group_tests_name("amqp_loop", tests, NULL, NULL);
}
