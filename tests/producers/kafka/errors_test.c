/*
 * errors_test.c - what a broker may answer, and a client that gives up.
 *
 * librdkafka's mock cluster answers the next requests of a kind with an error
 * while messages flow.  Whatever it is, all of them are read, the group's
 * offset reaches the end, and nobody asks for a new client; but for the error
 * after which the client itself is of no use any more.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <librdkafka/rdkafka.h>
/* It wants to come second. */
#include <librdkafka/rdkafka_mock.h>

#include "broker.h"
#include "clock.h"
#include "kafka_member.h"
#include "kafka_producer.h"
#include "member.h"

enum {
    FETCH = 1,
    LIST_OFFSETS = 2,
    OFFSET_COMMIT = 8,
    OFFSET_FETCH = 9,
    FIND_COORDINATOR = 10,
    JOIN_GROUP = 11,
    HEARTBEAT = 12,
    SYNC_GROUP = 14,
    BROKER = 1,
    STEP = 20,   /* messages of a row */
    WAIT_S = 40, /* a member that has to join again waits for seconds */
    SEEN_MAX = 1000
};

struct row {
    int16_t api;
    rd_kafka_resp_err_t code;
};

struct fixture {
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
    struct member *member;
    unsigned sent;
};

static int setup(void **state)
{
    static struct fixture fixture;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[200];

    fixture = (struct fixture){0};
    (void)rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
    fixture.host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    assert_non_null(fixture.host);
    fixture.cluster = rd_kafka_mock_cluster_new(fixture.host, 1);
    assert_non_null(fixture.cluster);
    fixture.member =
        member_create(rd_kafka_mock_cluster_bootstraps(fixture.cluster), NULL);
    broker_unique_name("topic", fixture.member->topic,
                       sizeof fixture.member->topic);
    assert_int_equal(rd_kafka_mock_topic_create(fixture.cluster,
                                                fixture.member->topic, 1, 1),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    test_settings_set(fixture.member->settings, "topics",
                      fixture.member->topic);
    test_settings_set(fixture.member->settings,
                      "properties.heartbeat.interval.ms", "100");
    test_settings_set(fixture.member->settings, "properties.session.timeout.ms",
                      "6000");
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    member_destroy(fixture->member);
    rd_kafka_mock_cluster_destroy(fixture->cluster);
    rd_kafka_destroy(fixture->host);
    return 0;
}

static void answer_with(struct fixture *fixture, const struct row *row)
{
    assert_int_equal(rd_kafka_mock_broker_push_request_error_rtts(
                         fixture->cluster, BROKER, row->api, 1, row->code, 0),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
}

static bool was_answered(struct fixture *fixture, int16_t api)
{
    size_t left = 1;

    assert_int_equal(rd_kafka_mock_broker_error_stack_cnt(fixture->cluster,
                                                          BROKER, api, &left),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    return left == 0;
}

static void offer(struct fixture *fixture, unsigned count)
{
    broker_produce(fixture->member->address, fixture->member->topic, 0, "m",
                   fixture->sent, count);
    fixture->sent += count;
}

static bool was_all_read(const struct fixture *fixture)
{
    bool seen[SEEN_MAX] = {false};
    unsigned count = 0;

    for (size_t i = 0; i < fixture->member->intake.count; i++) {
        const int64_t offset = fixture->member->intake.records[i].offset;

        assert_in_range(offset, 0, SEEN_MAX - 1);
        count += seen[offset] ? 0 : 1;
        seen[offset] = true;
    }
    return count == fixture->sent;
}

static bool was_all_committed(const struct fixture *fixture)
{
    const struct kafka_producer *kafka = fixture->member->intake.self;

    for (size_t i = 0; i < kafka->partitions.size; i++) {
        if (kafka->partitions.list[i] &&
            kafka->partitions.list[i]->committed == fixture->sent)
            return true;
    }
    return false;
}

/* Reads, settles and commits until everything is done and told. */
static void flow(struct fixture *fixture, const struct row *row)
{
    const int64_t deadline_us = clock_after_us(WAIT_S * CLOCK_SECOND_US);
    struct weir_intake *intake = &fixture->member->intake;
    struct weir_error err = {0};

    while (!was_all_read(fixture) || !was_all_committed(fixture) ||
           (row && !was_answered(fixture, row->api))) {
        const enum weir_status status = weir_kafka_producer.pull(
            intake->self, intake, STEP, clock_after_us(CLOCK_SECOND_US / 50),
            &err);

        if (status != WEIR_OK && status != WEIR_AGAIN)
            fail_msg("%s: pull() answers %d: %s",
                     row ? rd_kafka_err2name(row->code) : "", (int)status,
                     err.text);
        fake_intake_settle_all(intake);
        if (clock_now_us() > deadline_us)
            fail_msg("%s in answer to request %d: %u sent, read: %d, "
                     "committed: %d, answered: %d",
                     row ? rd_kafka_err2name(row->code) : "",
                     row ? row->api : 0, fixture->sent, was_all_read(fixture),
                     was_all_committed(fixture),
                     row ? was_answered(fixture, row->api) : 1);
    }
}

/* While messages flow. */
static void survive(struct fixture *fixture, const struct row *rows,
                    size_t count)
{
    offer(fixture, STEP);
    member_open(fixture->member);
    flow(fixture, NULL);
    for (size_t i = 0; i < count; i++) {
        answer_with(fixture, &rows[i]);
        offer(fixture, STEP);
        flow(fixture, &rows[i]);
    }
    assert_int_equal(member_committed(fixture->member, 0), fixture->sent);
}

#define SURVIVE(fixture, rows)                                                 \
    survive((fixture), (rows), sizeof(rows) / sizeof((rows)[0]))

static void heartbeats_that_are_refused_are_survived(void **state)
{
    static const struct row rows[] = {
        {HEARTBEAT, RD_KAFKA_RESP_ERR_NOT_COORDINATOR},
        {HEARTBEAT, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE},
        {HEARTBEAT, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS},
        {HEARTBEAT, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION},
        {HEARTBEAT, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID},
        {HEARTBEAT, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED},
        {HEARTBEAT, RD_KAFKA_RESP_ERR__TRANSPORT},
    };

    SURVIVE(*state, rows);
}

static void commits_that_are_refused_are_made_again(void **state)
{
    static const struct row rows[] = {
        {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_NOT_COORDINATOR},
        {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS},
        {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS},
        {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION},
        {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID},
        {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED},
        {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED},
        {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE},
        {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE},
        {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT},
        {OFFSET_COMMIT, RD_KAFKA_RESP_ERR__TRANSPORT},
    };

    SURVIVE(*state, rows);
}

static void fetches_that_are_refused_are_made_again(void **state)
{
    static const struct row rows[] = {
        {FETCH, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE},
        {FETCH, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED},
        {FETCH, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION},
        {FETCH, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE},
        {FETCH, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART},
        {FETCH, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR},
        {FETCH, RD_KAFKA_RESP_ERR_UNKNOWN},
        {FETCH, RD_KAFKA_RESP_ERR__TRANSPORT},
    };

    SURVIVE(*state, rows);
}

/* Of these the first answers are errors. */
static void a_group_that_refuses_at_first_is_joined(void **state)
{
    static const struct row rows[] = {
        {FIND_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE},
        {FIND_COORDINATOR, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED},
        {JOIN_GROUP, RD_KAFKA_RESP_ERR_NOT_COORDINATOR},
        {SYNC_GROUP, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS},
        {OFFSET_FETCH, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS},
        {LIST_OFFSETS, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE},
        {LIST_OFFSETS, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED},
        {OFFSET_COMMIT, RD_KAFKA_RESP_ERR_NOT_COORDINATOR},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        answer_with(fixture, &rows[i]);
    offer(fixture, STEP);
    member_open(fixture->member);
    flow(fixture, NULL);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(was_answered(fixture, rows[i].api));
}

/* Only a new client helps: the stage closes and opens. */
static void a_client_that_gave_up_is_said_and_a_new_one_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct kafka_producer *kafka = fixture->member->intake.self;
    struct weir_intake *intake = &fixture->member->intake;
    struct weir_error err = {0};
    int64_t deadline_us;

    offer(fixture, STEP);
    member_open(fixture->member);
    flow(fixture, NULL);
    assert_int_equal(rd_kafka_test_fatal_error(
                         kafka->rk, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
                         "fenced by a test"),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    deadline_us = clock_after_us(WAIT_S * CLOCK_SECOND_US);
    while (weir_kafka_producer.pull(intake->self, intake, STEP,
                                    clock_after_us(CLOCK_SECOND_US / 50),
                                    &err) != WEIR_FATAL)
        assert_true(clock_now_us() < deadline_us);
    if (!strstr(err.text, "fenced by a test"))
        fail_msg("'%s' does not say why", err.text);

    member_close(fixture->member);
    offer(fixture, STEP);
    member_open(fixture->member);
    flow(fixture, NULL);
    assert_int_equal(fixture->member->intake.count, fixture->sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(heartbeats_that_are_refused_are_survived),
        TEST(commits_that_are_refused_are_made_again),
        TEST(fetches_that_are_refused_are_made_again),
        TEST(a_group_that_refuses_at_first_is_joined),
        TEST(a_client_that_gave_up_is_said_and_a_new_one_goes_on),
    };
    return cmocka_run_group_tests_name("kafka_errors", tests, NULL, NULL);
}
