/*
 * consume_test.c - frames in whatever pieces become messages, or an end.
 */
#include "test.h"

#include <string.h>

#include "amqp_producer.h"
#include "peer_fixture.h"

static const struct weir_producer_ops *const ops = &weir_amqp_producer;

static int setup(void **state)
{
    (void)peer_fixture_setup(state);
    peer_connect(*state);
    return 0;
}

static int teardown(void **state)
{
    return peer_fixture_teardown(state);
}

static const char *payload(const struct peer_fixture *fixture, size_t index)
{
    return test_intake_record(fixture->intake, index)->payload;
}

static void settle(const struct peer_fixture *fixture, size_t first,
                   size_t count, enum weir_outcome outcome)
{
    assert_int_equal(test_intake_settle(fixture->intake, first, count, outcome),
                     WEIR_OK);
}

/* One pull that finds nothing to offer, and serves the connection. */
static void serve(const struct peer_fixture *fixture, unsigned demand)
{
    struct weir_error err = {.text = ""};

    assert_int_equal(test_intake_pull(fixture->intake, demand,
                                      clock_after_us(CLOCK_SECOND_US / 50),
                                      &err),
                     WEIR_AGAIN);
}

static void a_message_that_stalls_in_the_middle_blocks_nobody(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_send_deliver(fixture->peer, 1);
    serve(fixture, 10);
    amqp_peer_send_header(fixture->peer, 8);
    serve(fixture, 10);
    amqp_peer_send_body(fixture->peer, "half", 4);
    serve(fixture, 10);
    amqp_peer_send(fixture->peer, "\3\0\1\0\0", 5);
    serve(fixture, 10);

    amqp_peer_send(fixture->peer, "\0\4over\xce", 7);
    test_intake_pull_until(fixture->intake, 10, 1);
    assert_string_equal(payload(fixture, 0), "halfover");
}

static void an_empty_body_is_an_empty_payload(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_deliver(fixture->peer, 1, "");
    test_intake_pull_until(fixture->intake, 10, 1);

    assert_true(test_intake_record(fixture->intake, 0)->has_payload);
    assert_int_equal(test_intake_record(fixture->intake, 0)->payload_size, 0);
}

static void only_what_is_larger_than_the_limit_is_left_out(void **state)
{
    struct peer_fixture *fixture = *state;
    char body[1002];

    memset(body, 'x', sizeof(body));
    body[1001] = '\0';
    amqp_peer_deliver(fixture->peer, 1, body);
    body[1000] = '\0';
    amqp_peer_deliver(fixture->peer, 2, body);
    test_intake_pull_until(fixture->intake, 10, 2);

    assert_int_equal(test_intake_record(fixture->intake, 0)->omitted, 1001);
    assert_false(test_intake_record(fixture->intake, 0)->has_payload);
    assert_int_equal(test_intake_record(fixture->intake, 1)->omitted, 0);
    assert_int_equal(test_intake_record(fixture->intake, 1)->payload_size,
                     1000);
}

static void without_demand_frames_are_read_and_kept_in_order(void **state)
{
    struct peer_fixture *fixture = *state;

    for (uint64_t tag = 1; tag <= 10; tag++)
        amqp_peer_deliver(fixture->peer, tag, tag < 10 ? "a" : "z");
    serve(fixture, 0);
    serve(fixture, 0);
    test_intake_pull_until(fixture->intake, 3, 10);

    assert_string_equal(payload(fixture, 9), "z");
    assert_int_equal(test_intake_record(fixture->intake, 9)->ticket, 10);
}

static void what_finds_no_room_is_offered_again(void **state)
{
    struct peer_fixture *fixture = *state;
    struct weir_error err = {.text = ""};

    test_intake_set_room(fixture->intake, 1);
    amqp_peer_deliver(fixture->peer, 1, "a");
    amqp_peer_deliver(fixture->peer, 2, "b");
    assert_int_equal(peer_pull(fixture, 10, &err), WEIR_OK);
    serve(fixture, 10);
    assert_int_equal(test_intake_count(fixture->intake), 1);

    test_intake_set_room(fixture->intake, SIZE_MAX);
    test_intake_pull_until(fixture->intake, 10, 2);
    assert_string_equal(payload(fixture, 1), "b");
}

static void a_reject_is_written_before_the_ack_that_would_cover_it(void **state)
{
    struct peer_fixture *fixture = *state;

    for (uint64_t tag = 1; tag <= 5; tag++)
        amqp_peer_deliver(fixture->peer, tag, "x");
    test_intake_pull_until(fixture->intake, 10, 5);
    settle(fixture, 0, 2, WEIR_OUTCOME_DONE);
    settle(fixture, 3, 2, WEIR_OUTCOME_DONE);
    settle(fixture, 2, 1, WEIR_OUTCOME_DISCARD);
    serve(fixture, 10);
    amqp_peer_await_verdicts(fixture->peer, 2);

    assert_int_equal(amqp_peer_verdict(fixture->peer, 0).method, 90);
    assert_int_equal(amqp_peer_verdict(fixture->peer, 0).tag, 3);
    assert_false(amqp_peer_verdict(fixture->peer, 0).flag);
    assert_int_equal(amqp_peer_verdict(fixture->peer, 1).method, 80);
    assert_int_equal(amqp_peer_verdict(fixture->peer, 1).tag, 5);
    assert_true(amqp_peer_verdict(fixture->peer, 1).flag);
}

static void a_requeue_is_a_reject_with_requeue(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_deliver(fixture->peer, 1, "x");
    test_intake_pull_until(fixture->intake, 10, 1);
    settle(fixture, 0, 1, WEIR_OUTCOME_REQUEUE);
    serve(fixture, 0);
    amqp_peer_await_verdicts(fixture->peer, 1);

    assert_int_equal(amqp_peer_verdict(fixture->peer, 0).method, 90);
    assert_true(amqp_peer_verdict(fixture->peer, 0).flag);
}

static void a_channel_that_the_broker_closes_ends(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_send_close(fixture->peer, 1, 406,
                         "PRECONDITION_FAILED - delivery acknowledgement on "
                         "channel 1 timed out");
    peer_expect_end(fixture, "consumer_timeout");
}

static void a_connection_that_the_broker_closes_ends(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_send_close(fixture->peer, 0, 320, "CONNECTION_FORCED - shutdown");
    peer_expect_end(fixture, "on purpose");
}

static void a_cancelled_consumer_ends_with_what_is_done_acknowledged(
    void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_deliver(fixture->peer, 1, "x");
    test_intake_pull_until(fixture->intake, 10, 1);
    amqp_peer_send_cancel(fixture->peer);
    peer_expect_end(fixture, "the broker cancelled the consumer");
    settle(fixture, 0, 1, WEIR_OUTCOME_DONE);
    test_intake_close(fixture->intake);

    amqp_peer_await_verdicts(fixture->peer, 1);
    assert_int_equal(amqp_peer_verdict(fixture->peer, 0).tag, 1);
}

static void a_cut_connection_ends(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_cut(fixture->peer);
    peer_expect_end(fixture, "the connection");
}

static void a_message_inside_another_ends(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_send_deliver(fixture->peer, 1);
    amqp_peer_send_deliver(fixture->peer, 2);
    peer_expect_end(fixture, "inside another");
}

static void a_header_that_nobody_announced_ends(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_send_header(fixture->peer, 8);
    peer_expect_end(fixture, "may not come");
}

static void a_body_longer_than_its_header_says_ends(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_send_deliver(fixture->peer, 1);
    amqp_peer_send_header(fixture->peer, 4);
    amqp_peer_send_body(fixture->peer, "too long", 8);
    peer_expect_end(fixture, "too much body");
}

static void another_channels_frame_ends(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_send_frame(fixture->peer, 3, 7, "body", 4);
    peer_expect_end(fixture, "channel 7");
}

static void garbage_ends(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_send(fixture->peer, "\1\0\1\0\0\0\4\0\x3c\0\x3cXXXXXXX", 18);
    peer_expect_end(fixture, "not AMQP");
}

static void what_is_no_frame_ends(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } rows[] = {
        {"\3\0\1\xff\xff\xff\xff", 7},                  /* 4 GiB of body */
        {"\3\0\1\x7f\xff\xff\xf0", 7},                  /* almost 2 GiB */
        {"\1\0\1\0\0\0\2\0\x3c\xce", 10},               /* half a method */
        {"\1\0\1\0\0\0\4\0\x3c\3\xe7\xce", 12},         /* no method of basic */
        {"\1\0\1\0\0\0\x8\0\x3c\0\x3c\xfftag\xce", 16}, /* cut text */
        {"\2\0\1\0\0\0\x12\0\x3c\0\0\0\0\0\0\0\0\0\1"
         "\x20\0\0\0\3\xe8\xce",
         26}, /* a table of 1,000 bytes, and none of them */
    };
    struct peer_fixture *fixture = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_error err = {.text = ""};

        if (i > 0) {
            test_intake_close(fixture->intake);
            assert_int_equal(peer_open(fixture, &err), WEIR_OK);
        }
        if (i == 5)
            amqp_peer_send_deliver(fixture->peer, 1);
        amqp_peer_send(fixture->peer, rows[i].bytes, rows[i].size);
        peer_expect_end(fixture, "not AMQP");
        assert_int_equal(test_intake_count(fixture->intake), 0);
    }
}

static void a_length_that_no_message_has_takes_no_memory(void **state)
{
    static const uint64_t sizes[] = {UINT64_MAX, INT64_MAX, UINT32_MAX};
    struct peer_fixture *fixture = *state;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct weir_error err = {.text = ""};

        if (i > 0) {
            test_intake_close(fixture->intake);
            assert_int_equal(peer_open(fixture, &err), WEIR_OK);
        }
        amqp_peer_send_deliver(fixture->peer, 1);
        amqp_peer_send_header(fixture->peer, sizes[i]);
        amqp_peer_send_body(fixture->peer, "some of it", 10);
        amqp_peer_cut(fixture->peer);
        peer_expect_end(fixture, "the connection");
        assert_int_equal(test_intake_count(fixture->intake), 0);
    }
}

static void a_message_that_is_cut_off_is_not_offered(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_send_deliver(fixture->peer, 1);
    amqp_peer_send_header(fixture->peer, 8);
    amqp_peer_send_body(fixture->peer, "half", 4);
    amqp_peer_cut(fixture->peer);
    peer_expect_end(fixture, "the connection");

    assert_int_equal(test_intake_count(fixture->intake), 0);
}

static void a_tag_that_no_channel_gives_ends(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_deliver(fixture->peer, 0, "x");
    peer_expect_end(fixture, "don't rise");
}

static void more_than_the_prefetch_ends(void **state)
{
    struct peer_fixture *fixture = *state;

    for (uint64_t tag = 1; tag <= 11; tag++)
        amqp_peer_deliver(fixture->peer, tag, "x");
    peer_expect_end(fixture, "prefetch of 10");
}

static void tags_that_do_not_rise_end(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_deliver(fixture->peer, 2, "x");
    amqp_peer_deliver(fixture->peer, 1, "x");
    peer_expect_end(fixture, "don't rise");
}

static void a_drain_ends_when_all_that_was_taken_is_acknowledged(void **state)
{
    struct peer_fixture *fixture = *state;
    struct weir_error err = {.text = ""};

    amqp_peer_deliver(fixture->peer, 1, "x");
    test_intake_pull_until(fixture->intake, 1, 1);
    amqp_peer_deliver(fixture->peer, 2, "never offered");
    ops->drain(test_intake_self(fixture->intake));
    serve(fixture, 0);
    serve(fixture, 0);
    settle(fixture, 0, 1, WEIR_OUTCOME_DONE);
    assert_int_equal(peer_pull(fixture, 0, &err), WEIR_DONE);

    assert_int_equal(amqp_peer_verdict_count(fixture->peer), 1);
    assert_false(amqp_peer_verdict(fixture->peer, 0).flag);
    assert_int_equal(amqp_peer_method_count(fixture->peer, 60 << 16 | 30), 1);
}

static int setup_ordered(void **state)
{
    struct peer_fixture *fixture;

    (void)peer_fixture_setup(state);
    fixture = *state;
    test_settings_share(fixture->settings)->ordering = WEIR_ORDERING_PARTITION;
    peer_connect(fixture);
    return 0;
}

static void an_ordered_drain_gives_consumer_and_messages_back_together(
    void **state)
{
    struct peer_fixture *fixture = *state;
    struct weir_error err = {.text = ""};

    amqp_peer_deliver(fixture->peer, 1, "x");
    test_intake_pull_until(fixture->intake, 1, 1);
    ops->drain(test_intake_self(fixture->intake));
    amqp_peer_deliver(fixture->peer, 2, "never offered");
    serve(fixture, 0);
    settle(fixture, 0, 1, WEIR_OUTCOME_DONE);
    assert_int_equal(peer_pull(fixture, 0, &err), WEIR_DONE);

    assert_int_equal(amqp_peer_verdict_count(fixture->peer), 1);
    assert_int_equal(amqp_peer_method_count(fixture->peer, 60 << 16 | 30), 0);
}

static void wake_cuts_pull_short(void **state)
{
    struct peer_fixture *fixture = *state;
    struct weir_error err = {.text = ""};
    const int64_t started_us = clock_now_us();

    ops->wake(test_intake_self(fixture->intake));
    assert_int_equal(test_intake_pull(fixture->intake, 10,
                                      clock_after_us(5 * CLOCK_SECOND_US),
                                      &err),
                     WEIR_AGAIN);
    assert_true(clock_now_us() - started_us < 4 * CLOCK_SECOND_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_that_stalls_in_the_middle_blocks_nobody),
        TEST(an_empty_body_is_an_empty_payload),
        TEST(only_what_is_larger_than_the_limit_is_left_out),
        TEST(without_demand_frames_are_read_and_kept_in_order),
        TEST(what_finds_no_room_is_offered_again),
        TEST(a_reject_is_written_before_the_ack_that_would_cover_it),
        TEST(a_requeue_is_a_reject_with_requeue),
        TEST(a_channel_that_the_broker_closes_ends),
        TEST(a_connection_that_the_broker_closes_ends),
        TEST(a_cancelled_consumer_ends_with_what_is_done_acknowledged),
        TEST(a_cut_connection_ends),
        TEST(a_message_inside_another_ends),
        TEST(a_header_that_nobody_announced_ends),
        TEST(a_body_longer_than_its_header_says_ends),
        TEST(another_channels_frame_ends),
        TEST(garbage_ends),
        TEST(what_is_no_frame_ends),
        TEST(a_length_that_no_message_has_takes_no_memory),
        TEST(a_message_that_is_cut_off_is_not_offered),
        TEST(a_tag_that_no_channel_gives_ends),
        TEST(more_than_the_prefetch_ends),
        TEST(tags_that_do_not_rise_end),
        TEST(a_drain_ends_when_all_that_was_taken_is_acknowledged),
        cmocka_unit_test_setup_teardown(
            an_ordered_drain_gives_consumer_and_messages_back_together,
            setup_ordered, teardown),
        TEST(wake_cuts_pull_short),
    };
    return cmocka_run_group_tests_name("amqp_consume", tests, NULL, NULL);
}
