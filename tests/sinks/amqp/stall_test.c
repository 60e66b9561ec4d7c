/*
 * stall_test.c - a broker that is silent, or reads nothing, holds nobody.
 *
 * The clock is ours: half a minute passes at once.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "amqp_sink.h"
#include "sink_fixture.h"

enum { LARGE = 16 << 20, HEARTBEAT_S = 5, STALL_S = 30 };

#define SOON_US (CLOCK_SECOND_US / 50)

static time_t passed_s; /* on top of the real clock */

int __real_clock_gettime(clockid_t id, struct timespec *ret_time);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret_time);

int __wrap_clock_gettime(clockid_t id, struct timespec *ret_time)
{
    const int rc = __real_clock_gettime(id, ret_time);

    if (id == CLOCK_MONOTONIC)
        ret_time->tv_sec += passed_s;
    return rc;
}

static int setup(void **state)
{
    passed_s = 0;
    return sink_fixture_setup(state);
}

static int teardown(void **state)
{
    return sink_fixture_teardown(state);
}

static void serve_with(struct sink_fixture *fixture, enum weir_status expected)
{
    const int64_t began_us = clock_now_us();
    struct weir_error err = {.text = ""};

    if (weir_amqp_sink.poll(fixture->self, clock_after_us(SOON_US), &err) !=
        expected)
        fail_msg("%s", err.text);
    assert_true(clock_now_us() - began_us < CLOCK_SECOND_US);
}

static void serve(struct sink_fixture *fixture)
{
    serve_with(fixture, WEIR_OK);
}

/* More than all buffers between us hold, to a broker that reads nothing. */
static void write_into_nothing(struct sink_fixture *fixture, char *large)
{
    const char *const payloads[] = {large, NULL};

    fixture->batches[fixture->batch_count++] = test_batch_of(payloads);
    assert_int_equal(
        weir_amqp_sink.write(fixture->self, fixture->batches[0], NULL),
        WEIR_OK);
    serve(fixture);
    serve(fixture);
    assert_int_equal(amqp_peer_published(fixture->peer), 0);
}

static char *make_large(void)
{
    char *large = malloc(LARGE + 1);

    assert_non_null(large);
    memset(large, 'l', LARGE);
    large[LARGE] = '\0';
    return large;
}

static void connect_unread(struct sink_fixture *fixture)
{
    const struct amqp_peer_options options = {.publishes_unread = true};

    test_settings_set(fixture->settings, "heartbeat", "3600s");
    sink_start(fixture, &options);
    sink_connect(fixture);
}

/* The kernel's buffers may grow once more, which is progress. */
static void expect_given_up(struct sink_fixture *fixture)
{
    struct weir_error err = {.text = ""};
    enum weir_status status = WEIR_OK;

    for (size_t i = 0; i < 20 && status == WEIR_OK; i++) {
        passed_s += STALL_S + 1;
        status =
            weir_amqp_sink.poll(fixture->self, clock_after_us(SOON_US), &err);
    }
    assert_int_equal(status, WEIR_RETRY);
    assert_non_null(strstr(err.text, "read nothing"));
}

static void a_broker_that_reads_nothing_is_given_up(void **state)
{
    struct sink_fixture *fixture = *state;
    char *large = make_large();

    connect_unread(fixture);
    write_into_nothing(fixture, large);
    passed_s += STALL_S - 5;
    serve(fixture); /* not yet */
    expect_given_up(fixture);

    assert_int_equal(test_batch_open_count(fixture->batches[0]), 1);
    free(large);
}

static void one_that_blocks_publishers_may_read_nothing(void **state)
{
    struct sink_fixture *fixture = *state;
    char *large = make_large();

    connect_unread(fixture);
    write_into_nothing(fixture, large);
    amqp_peer_send_blocked(fixture->peer);
    serve_with(fixture, WEIR_HOLD);
    passed_s += (time_t)10 * STALL_S;
    serve_with(fixture, WEIR_HOLD);
    amqp_peer_send_unblocked(fixture->peer);
    serve(fixture);
    expect_given_up(fixture);
    free(large);
}

static void connect_beating(struct sink_fixture *fixture)
{
    const struct amqp_peer_options options = {.heartbeat_s = HEARTBEAT_S};

    sink_start(fixture, &options);
    sink_connect(fixture);
}

static void a_broker_without_heartbeats_is_given_up(void **state)
{
    struct sink_fixture *fixture = *state;

    connect_beating(fixture);
    passed_s += 2 * HEARTBEAT_S - 1;
    serve(fixture);
    passed_s += 2;
    sink_expect_end(fixture, "no heartbeat");
}

static void heartbeats_go_both_ways(void **state)
{
    static const uint8_t heartbeat[] = {8, 0, 0, 0, 0, 0, 0, 0xce};
    struct sink_fixture *fixture = *state;

    connect_beating(fixture);
    for (size_t i = 1; i <= 5; i++) {
        passed_s += HEARTBEAT_S;
        amqp_peer_send(fixture->peer, heartbeat, sizeof heartbeat);
        serve(fixture);
        amqp_peer_await_heartbeats(fixture->peer, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_broker_that_reads_nothing_is_given_up),
        TEST(one_that_blocks_publishers_may_read_nothing),
        TEST(a_broker_without_heartbeats_is_given_up),
        TEST(heartbeats_go_both_ways),
    };
    return cmocka_run_group_tests_name("amqp_stall", tests, NULL, NULL);
}
