/*
 * standstill_test.c - a pipeline that stands still hands back, once.
 *
 * The clock is ours: ten minutes pass at once.
 */
#include "test.h"

#include <string.h>
#include <time.h>

#include "amqp_producer.h"
#include "peer_fixture.h"

enum { TEN_MINUTES_S = 600, BASIC_CANCEL = 60 << 16 | 30 };

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
    (void)peer_fixture_setup(state);
    peer_connect(*state);
    return 0;
}

static int teardown(void **state)
{
    return peer_fixture_teardown(state);
}

static void serve(const struct peer_fixture *fixture)
{
    struct weir_error err = {.text = ""};

    assert_int_equal(
        test_intake_pull(fixture->intake, 0, clock_after_us(20000), &err),
        WEIR_AGAIN);
}

/* One message taken, one stashed. */
static void fill(struct peer_fixture *fixture)
{
    amqp_peer_deliver(fixture->peer, 1, "taken");
    test_intake_pull_until(fixture->intake, 1, 1);
    amqp_peer_deliver(fixture->peer, 2, "stashed");
    serve(fixture);
}

static void after_ten_minutes_what_nobody_began_goes_back(void **state)
{
    struct peer_fixture *fixture = *state;
    struct weir_error err = {.text = ""};

    fill(fixture);
    passed_s += TEN_MINUTES_S;
    assert_int_equal(peer_pull(fixture, 0, &err), WEIR_RETRY);
    assert_non_null(strstr(err.text, "the pipeline moves again"));
    amqp_peer_await_verdicts(fixture->peer, 2);

    assert_int_equal(amqp_peer_method_count(fixture->peer, BASIC_CANCEL), 1);
    assert_int_equal(amqp_peer_verdict(fixture->peer, 0).method, 90);
    assert_int_equal(amqp_peer_verdict(fixture->peer, 0).tag, 2);
    assert_true(amqp_peer_verdict(fixture->peer, 0).flag);
    assert_int_equal(amqp_peer_verdict(fixture->peer, 1).method, 80);
    assert_int_equal(amqp_peer_verdict(fixture->peer, 1).tag, 1);
}

static void a_pipeline_that_moves_keeps_its_messages(void **state)
{
    struct peer_fixture *fixture = *state;

    amqp_peer_deliver(fixture->peer, 3, "settled");
    test_intake_pull_until(fixture->intake, 1, 1);
    amqp_peer_deliver(fixture->peer, 4, "open");
    test_intake_pull_until(fixture->intake, 1, 2);
    passed_s += TEN_MINUTES_S - 1;
    assert_int_equal(
        test_intake_settle(fixture->intake, 0, 1, WEIR_OUTCOME_DONE), WEIR_OK);
    passed_s += TEN_MINUTES_S - 1;
    serve(fixture);

    assert_int_equal(amqp_peer_method_count(fixture->peer, BASIC_CANCEL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(after_ten_minutes_what_nobody_began_goes_back),
        TEST(a_pipeline_that_moves_keeps_its_messages),
    };
    return cmocka_run_group_tests_name("amqp_standstill", tests, NULL, NULL);
}
