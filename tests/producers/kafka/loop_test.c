/*
 * loop_test.c - dead letters that their own source would read.
 */
#include "test.h"

#include "kafka_producer.h"
#include "kafka_sink.h"
#include "test_settings.h"

struct fixture {
    struct weir_settings *source, *sink;
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture.source = test_settings_create(weir_kafka_producer.options);
    fixture.sink = test_settings_create(weir_kafka_sink.options);
    if (!fixture.source || !fixture.sink)
        return -1;
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

static bool reads(struct fixture *fixture, const char *topics,
                  const char *topic)
{
    test_settings_set(fixture->source, "topics", topics);
    test_settings_set(fixture->sink, "topic", topic);
    return weir_kafka_producer.reads(fixture->source, fixture->sink);
}

static void on_the_same_brokers(struct fixture *fixture)
{
    test_settings_set(fixture->source, "brokers", "one:9092,two:9093");
    test_settings_set(fixture->sink, "brokers", "two:9093");
}

static void a_topic_that_is_read_by_name_leads_back(void **state)
{
    on_the_same_brokers(*state);
    assert_true(reads(*state, "orders,returns", "returns"));
    assert_false(reads(*state, "orders,returns", "orders.dead"));
    assert_false(reads(*state, "orders.dead.old", "orders.dead"));
}

static void a_topic_that_an_expression_matches_leads_back(void **state)
{
    on_the_same_brokers(*state);
    assert_true(reads(*state, "returns,^orders", "orders.dead"));
    assert_false(reads(*state, "^orders$", "orders.dead"));
    assert_false(reads(*state, "^orders\\.(new|old)$", "orders.dead"));
}

static void a_template_leads_back_for_some_topic(void **state)
{
    on_the_same_brokers(*state);
    assert_true(reads(*state, "orders,orders.dead", "%{topic}.dead"));
    assert_true(reads(*state, "^orders", "%{topic}.dead"));
    assert_false(reads(*state, "^orders$", "%{topic}.dead"));
    assert_false(reads(*state, "orders", "%{topic}.dead"));
    assert_true(reads(*state, "orders", "%{topic}"));
    assert_false(reads(*state, "^orders", "dead.%{topic}"));
    assert_false(reads(*state, "^orders", "%{header.to}"));
}

static void other_brokers_are_another_topic(void **state)
{
    struct fixture *fixture = *state;

    test_settings_set(fixture->source, "brokers", "one:9092");
    test_settings_set(fixture->sink, "brokers", "elsewhere:9092");
    assert_false(reads(fixture, "orders", "orders"));
    test_settings_set(fixture->sink, "brokers", "One");
    assert_true(reads(fixture, "orders", "orders"));
    test_settings_set(fixture->sink, "brokers", "SSL://one:9092");
    assert_true(reads(fixture, "orders", "orders"));
    test_settings_set(fixture->sink, "brokers", "one:9093");
    assert_false(reads(fixture, "orders", "orders"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_topic_that_is_read_by_name_leads_back),
        TEST(a_topic_that_an_expression_matches_leads_back),
        TEST(a_template_leads_back_for_some_topic),
        TEST(other_brokers_are_another_topic),
    };
    return cmocka_run_group_tests_name("kafka_loop", tests, NULL, NULL);
}
