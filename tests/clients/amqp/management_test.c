/*
 * management_test.c - what the management plugin says is read as RabbitMQ
 * means it, and who asks is not told to anybody.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "http_peer.h"
#include "management.h"
#include "test_settings.h"

#define LIMIT_US (60 * CLOCK_SECOND_US) /* a test that waits for it fails */

static const struct weir_option options[] = {AMQP_MANAGEMENT_URL, {0}};

struct fixture {
    struct weir_settings *settings;
    struct http_peer *peer;
    struct amqp_management *management;
    struct amqp_url url;
    struct weir_error err;
    char vhost[10], user[10], password[20];
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    fixture->settings = test_settings_create(options);
    (void)strcpy(fixture->vhost, "/");
    (void)strcpy(fixture->user, "alice");
    (void)strcpy(fixture->password, "alice-secret");
    fixture->url = (struct amqp_url){.vhost = fixture->vhost,
                                     .user = fixture->user,
                                     .password = fixture->password};
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    amqp_management_destroy(fixture->management);
    http_peer_destroy(fixture->peer);
    test_settings_destroy(fixture->settings);
    free(fixture);
    return 0;
}

static void start(struct fixture *fixture, const char *answer)
{
    char url[100];

    fixture->peer = http_peer_create(answer);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/",
                   http_peer_port(fixture->peer));
    test_settings_set(fixture->settings, "management_url", url);
    if (amqp_management_create(fixture->settings, &fixture->url,
                               clock_after_us(LIMIT_US), &fixture->management,
                               &fixture->err) != WEIR_OK)
        fail_msg("%s", fixture->err.text);
}

/* With its head and length. */
static void start_json(struct fixture *fixture, int status, const char *body)
{
    static char answer[4096];

    (void)snprintf(answer, sizeof answer,
                   "HTTP/1.1 %d Said\r\nContent-Length: %zu\r\n\r\n%s", status,
                   strlen(body), body);
    start(fixture, answer);
}

static struct amqp_queue_facts ask(struct fixture *fixture)
{
    struct amqp_queue_facts facts;

    if (amqp_management_queue(fixture->management, "a/b c", &facts,
                              &fixture->err) != WEIR_OK)
        fail_msg("%s", fixture->err.text);
    return facts;
}

static void the_smaller_limit_counts_and_the_arguments_name(void **state)
{
    struct fixture *fixture = *state;
    struct amqp_queue_facts facts;

    start_json(fixture, 200,
               "{\"type\":\"quorum\",\"durable\":true,\"policy\":\"p\","
               "\"arguments\":{\"x-delivery-limit\":7,"
               "\"x-dead-letter-exchange\":\"own\","
               "\"x-single-active-consumer\":true},"
               "\"effective_policy_definition\":{\"delivery-limit\":3,"
               "\"dead-letter-exchange\":\"theirs\",\"max-length\":10}}");
    facts = ask(fixture);
    assert_string_equal(facts.type, "quorum");
    assert_string_equal(facts.policy, "p");
    assert_string_equal(facts.dead_letter_exchange, "own");
    assert_true(facts.has_dead_letter_exchange && facts.is_durable);
    assert_true(facts.is_single_active && facts.drops_head);
    assert_int_equal(facts.delivery_limit, 3);
    assert_int_equal(facts.max_length, 10);
    assert_int_equal(facts.consumer_timeout_ms, -1);
}

static void what_only_a_policy_says_counts(void **state)
{
    struct fixture *fixture = *state;
    struct amqp_queue_facts facts;

    start_json(fixture, 200,
               "{\"type\":\"classic\",\"arguments\":{},"
               "\"effective_policy_definition\":{\"overflow\":"
               "\"reject-publish\",\"dead-letter-exchange\":\"\"}}");
    facts = ask(fixture);
    assert_true(facts.has_dead_letter_exchange);
    assert_string_equal(facts.dead_letter_exchange, "");
    assert_false(facts.drops_head);
    assert_int_equal(facts.delivery_limit, -1);
}

static void names_are_segments_of_the_path(void **state)
{
    struct fixture *fixture = *state;

    start_json(fixture, 200, "{}");
    (void)ask(fixture);
    http_peer_await(fixture->peer, 1);
    assert_non_null(strstr(http_peer_request(fixture->peer),
                           "GET /api/queues/%2F/a%2Fb%20c HTTP/1.1\r\n"));
}

static void expect_said(struct fixture *fixture, const char *word)
{
    struct amqp_queue_facts facts;

    assert_int_equal(
        amqp_management_queue(fixture->management, "q", &facts, &fixture->err),
        WEIR_RETRY);
    if (!strstr(fixture->err.text, word))
        fail_msg("%s: %s", word, fixture->err.text);
    assert_null(strstr(fixture->err.text, "secret"));
}

static void a_refused_user_is_named_and_not_the_password(void **state)
{
    struct fixture *fixture = *state;

    start_json(fixture, 401, "{\"error\":\"not_authorised\"}");
    expect_said(fixture, "user alice");
}

static void another_brokers_plugin_is_told_from_another_server(void **state)
{
    struct fixture *fixture = *state;

    start_json(fixture, 404, "{\"error\":\"Object Not Found\"}");
    expect_said(fixture, "no such queue");
    amqp_management_destroy(fixture->management);
    http_peer_destroy(fixture->peer);
    fixture->management = NULL;
    start_json(fixture, 404, "<html>nothing here</html>");
    expect_said(fixture, "not what the management plugin answers");
    amqp_management_destroy(fixture->management);
    http_peer_destroy(fixture->peer);
    fixture->management = NULL;
    start_json(fixture, 200, "<html>welcome</html>");
    expect_said(fixture, "not what the management plugin answers");
}

static void an_exchange_that_is_not_there_is_an_answer(void **state)
{
    struct fixture *fixture = *state;
    struct amqp_exchange_facts facts = {.is_there = true};

    start_json(fixture, 404, "{\"error\":\"Object Not Found\"}");
    assert_int_equal(amqp_management_exchange(fixture->management, "dlx",
                                              &facts, &fixture->err),
                     WEIR_OK);
    assert_false(facts.is_there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_smaller_limit_counts_and_the_arguments_name),
        TEST(what_only_a_policy_says_counts),
        TEST(names_are_segments_of_the_path),
        TEST(a_refused_user_is_named_and_not_the_password),
        TEST(another_brokers_plugin_is_told_from_another_server),
        TEST(an_exchange_that_is_not_there_is_an_answer),
    };
    return cmocka_run_group_tests_name("amqp_management", tests, NULL, NULL);
}
