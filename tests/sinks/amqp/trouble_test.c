/*
 * trouble_test.c - brokers that block, close and refuse.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "amqp_sink.h"
#include "log.h"
#include "sink_fixture.h"

enum {
    CHANNEL = 1,
    NO_EXCHANGE = 404,
    REFUSED = 403,
    TOO_LARGE = 406,
    LINES = 10
};

#define SOON_US (CLOCK_SECOND_US / 50)

static const char *const letters[] = {"a", "b", "c", NULL};

static struct {
    char lines[LINES][300];
    size_t count;
} said;

static void keep_line(void *opaque, enum weir_log_level level, const char *line)
{
    (void)opaque;
    (void)level;
    if (said.count < LINES)
        (void)snprintf(said.lines[said.count++], sizeof said.lines[0], "%s",
                       line);
}

static int setup(void **state)
{
    said.count = 0;
    log_set_callback(keep_line, NULL);
    return sink_fixture_setup(state);
}

static int teardown(void **state)
{
    const int rc = sink_fixture_teardown(state);

    log_set_callback(NULL, NULL);
    return rc;
}

static enum weir_status poll_once(struct sink_fixture *fixture)
{
    struct weir_error err = {.text = ""};
    const enum weir_status status =
        weir_amqp_sink.poll(fixture->self, clock_after_us(SOON_US), &err);

    if (status == WEIR_HOLD)
        assert_non_null(strstr(err.text, "blocks publishers"));
    return status;
}

static void serve(struct sink_fixture *fixture)
{
    assert_int_equal(poll_once(fixture), WEIR_OK);
}

/* Polls until that is the answer, for ten seconds. */
static void serve_until(struct sink_fixture *fixture, enum weir_status status)
{
    const int64_t deadline_us = clock_after_us(10 * CLOCK_SECOND_US);

    while (poll_once(fixture) != status)
        assert_true(clock_now_us() < deadline_us);
}

static void a_blocked_connection_waits_and_says_so(void **state)
{
    struct sink_fixture *fixture = *state;
    struct weir_batch *first, *second = test_batch_of(letters);

    sink_connect(fixture);
    first = sink_write(fixture, letters);
    amqp_peer_send_blocked(fixture->peer);
    serve_until(fixture, WEIR_HOLD);
    amqp_peer_send_blocked(fixture->peer);
    fixture->batches[fixture->batch_count++] = second;
    assert_int_equal(weir_amqp_sink.write(fixture->self, second, NULL),
                     WEIR_OK);
    amqp_peer_send_ack(fixture->peer, 3, true);
    sink_poll_until(fixture, first, 0); /* confirms go on */
    assert_int_equal(poll_once(fixture), WEIR_HOLD);
    assert_int_equal(
        weir_amqp_sink.flush(fixture->self, clock_after_us(SOON_US), NULL),
        WEIR_HOLD);
    assert_int_equal(amqp_peer_published(fixture->peer), 3);
    assert_int_equal(said.count, 0);

    amqp_peer_send_unblocked(fixture->peer);
    serve_until(fixture, WEIR_OK);
    assert_int_equal(said.count, 1);
    assert_non_null(strstr(said.lines[0], "no longer blocks"));
    amqp_peer_await_published(fixture->peer, 6);
    amqp_peer_send_ack(fixture->peer, 6, true);
    sink_poll_until(fixture, second, 0);
}

static void a_batch_waits_while_another_is_being_published(void **state)
{
    struct sink_fixture *fixture = *state;
    struct weir_batch *first = test_batch_of(letters),
                      *second = test_batch_of(letters);

    test_settings_set(fixture->settings, "window", "2");
    sink_connect(fixture);
    fixture->batches[fixture->batch_count++] = first;
    fixture->batches[fixture->batch_count++] = second;
    assert_int_equal(weir_amqp_sink.write(fixture->self, first, NULL), WEIR_OK);
    assert_int_equal(weir_amqp_sink.write(fixture->self, second, NULL),
                     WEIR_AGAIN);
    amqp_peer_await_published(fixture->peer, 2);
    serve(fixture);
    assert_int_equal(amqp_peer_published(fixture->peer), 2); /* the window */
    amqp_peer_send_ack(fixture->peer, 1, false);
    sink_poll_until(fixture, first, 2);
    amqp_peer_await_published(fixture->peer, 3);

    assert_int_equal(weir_amqp_sink.write(fixture->self, second, NULL),
                     WEIR_OK);
}

/* Which one it was is found by publishing one by one. */
static void a_message_that_closes_the_channel_is_rejected_alone(void **state)
{
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch;

    sink_connect(fixture);
    batch = sink_write(fixture, letters);
    amqp_peer_send_close(fixture->peer, CHANNEL, TOO_LARGE,
                         "PRECONDITION_FAILED - message size too large");
    sink_expect_end(fixture, "closed the channel");
    assert_int_equal(test_batch_open_count(batch), 3);
    sink_close(fixture);

    sink_connect(fixture);
    batch = test_batch_of(letters);
    fixture->batches[fixture->batch_count++] = batch;
    assert_int_equal(weir_amqp_sink.write(fixture->self, batch, NULL), WEIR_OK);
    amqp_peer_await_published(fixture->peer, 4);
    serve(fixture);
    assert_int_equal(amqp_peer_published(fixture->peer), 4); /* alone */
    amqp_peer_send_ack(fixture->peer, 1, false);
    sink_poll_until(fixture, batch, 2);
    amqp_peer_await_published(fixture->peer, 5);
    amqp_peer_send_close(fixture->peer, CHANNEL, TOO_LARGE,
                         "PRECONDITION_FAILED - message size too large");
    sink_expect_end(fixture, "closed the channel");

    assert_int_equal(test_batch_outcome(batch, 1), WEIR_REJECT);
    assert_non_null(strstr(test_batch_reason(batch, 1), "too large"));
    assert_int_equal(test_batch_open_count(batch), 1);
}

static void expect_held(struct sink_fixture *fixture, uint16_t code,
                        const char *text)
{
    static const char *const one[] = {"one", NULL};
    struct weir_batch *batch;

    sink_connect(fixture);
    batch = sink_write(fixture, one);
    amqp_peer_send_close(fixture->peer, CHANNEL, code, text);
    sink_expect_end(fixture, "closed the channel");
    assert_int_equal(test_batch_open_count(batch), 1);
    sink_close(fixture);
}

static void an_exchange_that_went_away_is_waited_for(void **state)
{
    expect_held(*state, NO_EXCHANGE, "NOT_FOUND - no exchange 'e'");
}

static void a_permission_that_is_missing_is_waited_for(void **state)
{
    expect_held(*state, REFUSED, "ACCESS_REFUSED - access to exchange 'e'");
}

static void an_exchange_that_a_message_made_up_is_its_own_fault(void **state)
{
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch;
    const struct test_message message = {.key = WEIR_STR("nowhere"),
                                         .payload = WEIR_STR("x")};

    test_settings_set(fixture->settings, "exchange", "%{key}");
    sink_connect(fixture);
    batch = sink_write_messages(fixture, &message, 1);
    amqp_peer_send_close(fixture->peer, CHANNEL, NO_EXCHANGE,
                         "NOT_FOUND - no exchange 'nowhere'");
    sink_expect_end(fixture, "no exchange");

    assert_int_equal(test_batch_outcome(batch, 0), WEIR_REJECT);
}

static void what_cannot_be_published_is_rejected_alone(void **state)
{
    char name[300];
    const struct weir_header header = {.name = {name, sizeof name},
                                       .value = WEIR_STR("v")};
    const struct weir_header property = {.name = WEIR_STR("message_id"),
                                         .value = {name, sizeof name}};
    const struct test_message messages[] = {
        {.key = WEIR_STR("k"), .payload = WEIR_STR("good")},
        {.payload = WEIR_STR("no key")},
        {.key = {name, sizeof name}, .payload = WEIR_STR("long key")},
        {.key = WEIR_STR("k"), .headers = &header, .header_count = 1},
        {.key = WEIR_STR("k"), .properties = &property, .property_count = 1},
        {.key = WEIR_STR("k"), .payload = WEIR_STR("good, too")}};
    static const char *const reasons[] = {NULL,       "%{key}",     "302",
                                          "header's", "message_id", NULL};
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch = test_batch_create(messages, 6);

    memset(name, 'n', sizeof name);
    test_settings_set(fixture->settings, "routing_key", "r.%{key}");
    sink_connect(fixture);
    fixture->batches[fixture->batch_count++] = batch;
    assert_int_equal(weir_amqp_sink.write(fixture->self, batch, NULL), WEIR_OK);
    amqp_peer_await_published(fixture->peer, 2);
    amqp_peer_send_ack(fixture->peer, 2, true);
    sink_poll_until(fixture, batch, 0);

    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(test_batch_outcome(batch, i),
                         reasons[i] ? WEIR_REJECT : WEIR_OK);
        if (reasons[i] && !strstr(test_batch_reason(batch, i), reasons[i]))
            fail_msg("no '%s' in: %s", reasons[i], test_batch_reason(batch, i));
    }
}

static void headers_that_fit_no_frame_are_rejected(void **state)
{
    static char value[140000];
    const struct weir_header header = {.name = WEIR_STR("h"),
                                       .value = {value, sizeof value}};
    const struct test_message message = {.headers = &header, .header_count = 1};
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch = test_batch_create(&message, 1);

    sink_connect(fixture);
    fixture->batches[fixture->batch_count++] = batch;
    assert_int_equal(weir_amqp_sink.write(fixture->self, batch, NULL), WEIR_OK);

    assert_int_equal(test_batch_outcome(batch, 0), WEIR_REJECT);
    assert_non_null(strstr(test_batch_reason(batch, 0), "frame"));
}

static void expect_refusal(struct sink_fixture *fixture, const char *word)
{
    struct weir_error err = {.text = ""};

    assert_int_equal(sink_open(fixture, &err), WEIR_RETRY);
    if (!strstr(err.text, word))
        fail_msg("no '%s' in: %s", word, err.text);
    assert_null(strstr(err.text, "hunter2"));
    sink_close(fixture);
}

static void an_exchange_that_is_not_there_is_said_at_the_start(void **state)
{
    const struct amqp_peer_options options = {
        .declare_refusal = NO_EXCHANGE,
        .refusal_text = "NOT_FOUND - no exchange 'e' in vhost '/'"};

    sink_start(*state, &options);
    expect_refusal(*state, "waiting for it");
}

static void a_login_that_is_refused_never_shows_the_password(void **state)
{
    const struct amqp_peer_options options = {
        .login_refusal = REFUSED,
        .refusal_text = "ACCESS_REFUSED - Login was refused"};

    sink_start(*state, &options);
    expect_refusal(*state, "check user and password");
}

static void after_a_failure_the_next_url_is_tried(void **state)
{
    struct sink_fixture *fixture = *state;
    const struct amqp_peer_options options = {.heartbeat_s = 0};
    char urls[200];

    sink_start(fixture, &options);
    (void)snprintf(urls, sizeof urls,
                   "amqp://weir:hunter2@127.0.0.1:1,amqp://127.0.0.1:%d",
                   amqp_peer_port(fixture->peer));
    test_settings_set(fixture->settings, "url", urls);
    expect_refusal(fixture, "127.0.0.1:1");
    sink_connect(fixture);
    amqp_peer_cut(fixture->peer);
    sink_expect_end(fixture, "closed");
    sink_close(fixture);

    expect_refusal(fixture, "127.0.0.1:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_blocked_connection_waits_and_says_so),
        TEST(a_batch_waits_while_another_is_being_published),
        TEST(a_message_that_closes_the_channel_is_rejected_alone),
        TEST(an_exchange_that_went_away_is_waited_for),
        TEST(a_permission_that_is_missing_is_waited_for),
        TEST(an_exchange_that_a_message_made_up_is_its_own_fault),
        TEST(what_cannot_be_published_is_rejected_alone),
        TEST(headers_that_fit_no_frame_are_rejected),
        TEST(an_exchange_that_is_not_there_is_said_at_the_start),
        TEST(a_login_that_is_refused_never_shows_the_password),
        TEST(after_a_failure_the_next_url_is_tried),
    };
    return cmocka_run_group_tests_name("amqp_trouble", tests, NULL, NULL);
}
