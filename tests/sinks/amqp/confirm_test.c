/*
 * confirm_test.c - what a broker says of messages, and what is made of it.
 */
#include "test.h"

#include <string.h>

#include "amqp_sink.h"
#include "sink_fixture.h"

enum { LARGE = 300000, FRAME_SIZE = 100000, CHANNEL = 1 };

static const char *const letters[] = {"a", "b", "c", "d", "e", NULL};

/* As they are published: persistent. */
static const unsigned char properties[] = {0x10, 0x00, 2};
/* With a timestamp, as messages made by hand have one of zero. */
static const unsigned char with_time[] = {0x10, 0x40, 2, 0, 0, 0,
                                          0,    0,    0, 0, 0};

static int setup(void **state)
{
    (void)sink_fixture_setup(state);
    return 0;
}

static int teardown(void **state)
{
    return sink_fixture_teardown(state);
}

static void expect(const struct weir_batch *batch, size_t index,
                   enum weir_status outcome)
{
    assert_int_equal(test_batch_outcome(batch, index), outcome);
}

static void send_returned(struct sink_fixture *fixture, const char *body)
{
    amqp_peer_send_return(fixture->peer, "e", "k");
    amqp_peer_send_content(fixture->peer, with_time, sizeof with_time, body,
                           FRAME_SIZE);
}

static void published_is_not_delivered(void **state)
{
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch;

    sink_connect(fixture);
    batch = sink_write(fixture, letters);
    assert_int_equal(
        weir_amqp_sink.poll(fixture->self, clock_after_us(1000), NULL),
        WEIR_OK);
    assert_int_equal(test_batch_open_count(batch), 5);
    assert_int_equal(
        weir_amqp_sink.flush(fixture->self, clock_after_us(1000), NULL),
        WEIR_AGAIN);
}

static void each_confirm_is_an_outcome_of_its_message(void **state)
{
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch;

    sink_connect(fixture);
    batch = sink_write(fixture, letters);
    amqp_peer_send_ack(fixture->peer, 2, false);
    sink_poll_until(fixture, batch, 4);
    expect(batch, 1, WEIR_OK);
    amqp_peer_send_nack(fixture->peer, 4, false);
    sink_poll_until(fixture, batch, 3);
    expect(batch, 3, WEIR_RETRY);
    amqp_peer_send_ack(fixture->peer, 5, true);
    sink_poll_until(fixture, batch, 0);

    expect(batch, 0, WEIR_OK);
    expect(batch, 2, WEIR_OK);
    expect(batch, 4, WEIR_OK);
}

static void a_returned_message_is_rejected_and_its_confirm_changes_nothing(
    void **state)
{
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch;

    sink_connect(fixture);
    batch = sink_write(fixture, letters);
    send_returned(fixture, "c");
    sink_poll_until(fixture, batch, 4);
    expect(batch, 2, WEIR_REJECT);
    assert_non_null(strstr(test_batch_reason(batch, 2), "NO_ROUTE"));
    amqp_peer_send_ack(fixture->peer, 5, true);
    sink_poll_until(fixture, batch, 0);

    expect(batch, 1, WEIR_OK);
    expect(batch, 3, WEIR_OK);
}

static void of_two_that_are_alike_each_return_rejects_one(void **state)
{
    static const char *const twins[] = {"x", "twin", "y", "twin", NULL};
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch;

    sink_connect(fixture);
    batch = sink_write(fixture, twins);
    send_returned(fixture, "twin");
    sink_poll_until(fixture, batch, 3);
    send_returned(fixture, "twin");
    sink_poll_until(fixture, batch, 2);

    expect(batch, 1, WEIR_REJECT);
    expect(batch, 3, WEIR_REJECT);
}

/* They differ in their last byte, and it comes in the last of four frames. */
static void a_large_returned_message_is_told_from_one_like_it(void **state)
{
    static char first[LARGE + 1], second[LARGE + 1];
    const char *const bodies[] = {first, second, NULL};
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch;

    memset(first, 'z', LARGE);
    memset(second, 'z', LARGE);
    second[LARGE - 1] = '!';
    sink_connect(fixture);
    batch = test_batch_of(bodies);
    fixture->batches[fixture->batch_count++] = batch;
    assert_int_equal(weir_amqp_sink.write(fixture->self, batch, NULL), WEIR_OK);
    while (amqp_peer_published(fixture->peer) < 2)
        assert_int_equal(
            weir_amqp_sink.poll(fixture->self, clock_after_us(10000), NULL),
            WEIR_OK);
    send_returned(fixture, second);
    sink_poll_until(fixture, batch, 1);

    expect(batch, 1, WEIR_REJECT);
}

static void messages_of_one_body_are_told_apart_by_their_headers(void **state)
{
    static const unsigned char with_header[] = {
        0x30, 0x40, 0, 0, 0, 8, 1, 'h', 'S', 0, 0, 0,
        1,    '2',  2, 0, 0, 0, 0, 0,   0,   0, 0};
    const struct weir_header one = {WEIR_STR("h"), WEIR_STR("1")};
    const struct weir_header two = {WEIR_STR("h"), WEIR_STR("2")};
    const struct test_message messages[] = {
        {.payload = WEIR_STR("same"), .headers = &one, .header_count = 1},
        {.payload = WEIR_STR("same"), .headers = &two, .header_count = 1}};
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch;

    sink_connect(fixture);
    batch = sink_write_messages(fixture, messages, 2);
    amqp_peer_send_return(fixture->peer, "e", "k");
    amqp_peer_send_content(fixture->peer, with_header, sizeof with_header,
                           "same", FRAME_SIZE);
    sink_poll_until(fixture, batch, 1);

    expect(batch, 1, WEIR_REJECT);
}

static void a_broker_that_changed_the_headers_is_believed_by_the_body(
    void **state)
{
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch;

    sink_connect(fixture);
    batch = sink_write(fixture, letters);
    amqp_peer_send_return(fixture->peer, "e", "k");
    amqp_peer_send_content(fixture->peer, properties, sizeof properties, "d",
                           FRAME_SIZE);
    sink_poll_until(fixture, batch, 4);

    expect(batch, 3, WEIR_REJECT);
}

static void a_confirm_for_an_unknown_number_ends_the_connection(void **state)
{
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch;

    sink_connect(fixture);
    batch = sink_write(fixture, letters);
    amqp_peer_send_ack(fixture->peer, 6, true);
    sink_expect_end(fixture, "waits for no confirm");

    assert_int_equal(test_batch_open_count(batch), 5);
}

static void a_returned_message_that_nobody_published_ends_it(void **state)
{
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch;

    sink_connect(fixture);
    batch = sink_write(fixture, letters);
    send_returned(fixture, "nobody's");
    sink_expect_end(fixture, "returned a message");

    assert_int_equal(test_batch_open_count(batch), 5);
}

static void a_returned_message_of_an_absurd_length_ends_it(void **state)
{
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch;

    sink_connect(fixture);
    batch = sink_write(fixture, letters);
    amqp_peer_send_return(fixture->peer, "e", "k");
    amqp_peer_send_header(fixture->peer, UINT64_MAX);
    sink_expect_end(fixture, "returned a message");

    assert_int_equal(test_batch_open_count(batch), 5);
}

static void a_returned_message_that_is_cut_off_rejects_nobody(void **state)
{
    struct sink_fixture *fixture = *state;
    struct weir_batch *batch;

    sink_connect(fixture);
    batch = sink_write(fixture, letters);
    amqp_peer_send_return(fixture->peer, "e", "k");
    amqp_peer_send_header(fixture->peer, 1);
    amqp_peer_cut(fixture->peer);
    sink_expect_end(fixture, "closed");

    assert_int_equal(test_batch_open_count(batch), 5);
}

static void confirms_of_an_earlier_connection_count_for_nothing(void **state)
{
    struct sink_fixture *fixture = *state;
    struct weir_batch *first, *second;

    sink_connect(fixture);
    first = sink_write(fixture, letters);
    amqp_peer_cut(fixture->peer);
    sink_expect_end(fixture, "closed");
    sink_close(fixture);
    sink_connect(fixture);
    second = sink_write(fixture, letters);
    amqp_peer_send_ack(fixture->peer, 5, true);
    sink_poll_until(fixture, second, 0);

    assert_int_equal(test_batch_open_count(first), 5);
}

static void what_is_no_confirm_ends_the_connection(void **state)
{
    static const struct {
        const char *word;
        uint8_t type;
        uint16_t channel;
        uint8_t bytes[20];
        size_t size;
    } wrongs[] = {
        {"nobody asked", 1, CHANNEL, {0, 60, 0, 60, 0, 0}, 20},
        {"isn't open", 1, 7, {0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 1, 0}, 13},
        {"nothing began", 2, CHANNEL, {0, 60}, 14},
        {"nothing began", 3, CHANNEL, "body", 4},
        {"not AMQP", 1, CHANNEL, {0, 60, 0, 80, 0}, 5},
        {"not AMQP", 1, CHANNEL, {0, 99, 0, 99}, 4},
    };
    struct sink_fixture *fixture = *state;

    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        sink_connect(fixture);
        amqp_peer_send_frame(fixture->peer, wrongs[i].type, wrongs[i].channel,
                             wrongs[i].bytes, wrongs[i].size);
        sink_expect_end(fixture, wrongs[i].word);
        sink_close(fixture);
    }
}

static void a_frame_without_its_end_ends_the_connection(void **state)
{
    static const uint8_t frame[] = {1, 0, 1, 0, 0, 0, 4, 0, 60, 0, 80, 0x55};
    struct sink_fixture *fixture = *state;

    sink_connect(fixture);
    amqp_peer_send(fixture->peer, frame, sizeof frame);
    sink_expect_end(fixture, "not AMQP");
}

static void a_length_that_no_frame_has_ends_the_connection(void **state)
{
    static const uint8_t frame[] = {1, 0, 1, 0xff, 0xff, 0xff, 0xff, 0, 60};
    struct sink_fixture *fixture = *state;

    sink_connect(fixture);
    amqp_peer_send(fixture->peer, frame, sizeof frame);
    sink_expect_end(fixture, "not AMQP");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(published_is_not_delivered),
        TEST(each_confirm_is_an_outcome_of_its_message),
        TEST(a_returned_message_is_rejected_and_its_confirm_changes_nothing),
        TEST(of_two_that_are_alike_each_return_rejects_one),
        TEST(a_large_returned_message_is_told_from_one_like_it),
        TEST(messages_of_one_body_are_told_apart_by_their_headers),
        TEST(a_broker_that_changed_the_headers_is_believed_by_the_body),
        TEST(a_confirm_for_an_unknown_number_ends_the_connection),
        TEST(a_returned_message_that_nobody_published_ends_it),
        TEST(a_returned_message_of_an_absurd_length_ends_it),
        TEST(a_returned_message_that_is_cut_off_rejects_nobody),
        TEST(confirms_of_an_earlier_connection_count_for_nothing),
        TEST(what_is_no_confirm_ends_the_connection),
        TEST(a_frame_without_its_end_ends_the_connection),
        TEST(a_length_that_no_frame_has_ends_the_connection),
    };
    return cmocka_run_group_tests_name("amqp_confirm", tests, NULL, NULL);
}
