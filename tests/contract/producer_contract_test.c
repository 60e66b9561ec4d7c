/*
 * producer_contract_test.c - the rules of <weir/producer.h>, for every
 * producer.
 *
 * Each rule is a test, and runs once for each subject.  The intake that it
 * drives them with (tests/support/test_intake.c) checks what holds always: no
 * more than the demand, nothing of a source that wasn't begun, calls of the
 * intake only inside pull(), rising tickets, back in time.
 */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "contract.h"
#include "option_rules.h"
#include "producer_subjects.h"
#include "test_intake.h"
#include "test_settings.h"

enum { RECORDS = 20, WAKES = 20 };

#define SOON_US  (CLOCK_SECOND_US / 20)
#define LIMIT_US (10 * CLOCK_SECOND_US)
#define ASK_US   (1 * CLOCK_SECOND_US)

struct fixture {
    const struct producer_subject *subject;
    const struct weir_producer_ops *ops;
    struct weir_settings *settings;
    struct weir_intake *intake;
    void *self, *prepared;
    bool is_open;
};

static int setup(void **state)
{
    const struct producer_subject *const *const chosen = *state;
    const struct producer_subject *const subject = *chosen;
    struct fixture *const fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    fixture->subject = subject;
    fixture->ops = subject->ops;
    fixture->settings = test_settings_create(subject->ops->options);
    fixture->intake = test_intake_create(subject->ops);
    fixture->self = test_intake_self(fixture->intake);
    fixture->prepared = subject->prepare(fixture->settings, RECORDS);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *const fixture = *state;

    if (fixture->is_open)
        test_intake_close(fixture->intake);
    if (fixture->prepared)
        fixture->subject->finish(fixture->prepared);
    test_intake_destroy(fixture->intake);
    test_settings_destroy(fixture->settings);
    free(fixture);
    return 0;
}

static void open_producer(struct fixture *fixture)
{
    struct weir_error err = {0};

    if (!fixture->prepared)
        skip();
    fixture->is_open = true;
    if (fixture->ops->open(fixture->self, fixture->settings, &err) != WEIR_OK)
        fail_msg("open: %s", err.text);
}

static void pull_all(struct fixture *fixture)
{
    test_intake_pull_until(fixture->intake, 7, RECORDS);
}

/* Pulls nothing more until the connector says that it is at its end. */
static void assert_ends(struct fixture *fixture, unsigned demand)
{
    const int64_t limit_us = clock_after_us(LIMIT_US);
    enum weir_status status = WEIR_AGAIN;

    while (status == WEIR_AGAIN && clock_now_us() < limit_us)
        status = test_intake_pull(fixture->intake, demand,
                                  clock_after_us(SOON_US), NULL);
    assert_int_equal(status, WEIR_DONE);
}

static void its_table_is_complete(void **state)
{
    const struct fixture *const fixture = *state;
    const struct weir_producer_ops *const ops = fixture->ops;

    assert_non_null(ops->name);
    assert_non_null(ops->help);
    assert_true(ops->self_size > 0);
    assert_true(ops->open && ops->pull && ops->settle);
    assert_true(ops->wake && ops->drain && ops->close);
    assert_int_equal(ops->hold != NULL, ops->release != NULL);
    assert_true(ops->policies > 0);
    assert_true(ops->policies < WEIR_POLICY_BIT(WEIR_POLICY_COUNT));
    assert_true(ops->ordering < WEIR_ORDERING_COUNT);
    assert_options(ops->options);
}

static void its_own_settings_are_not_refused(void **state)
{
    struct fixture *const fixture = *state;

    if (!fixture->prepared)
        skip();
    if (fixture->ops->check)
        fixture->ops->check(fixture->settings);
    assert_string_equal(test_settings_take_refusals(fixture->settings), "");
}

static void everything_is_offered_once_and_then_it_ends(void **state)
{
    struct fixture *const fixture = *state;

    open_producer(fixture);
    pull_all(fixture);
    for (size_t i = RECORDS; i > 0; i--) /* in any order */
        assert_int_equal(
            test_intake_settle(fixture->intake, i - 1, 1, WEIR_OUTCOME_DONE),
            WEIR_OK);
    assert_ends(fixture, 7);
    assert_int_equal(test_intake_count(fixture->intake), RECORDS);
}

static void it_does_not_end_while_something_is_open(void **state)
{
    struct fixture *const fixture = *state;

    open_producer(fixture);
    pull_all(fixture);
    (void)test_intake_settle(fixture->intake, 1, 1, WEIR_OUTCOME_DONE);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            test_intake_pull(fixture->intake, 7, clock_now_us(), NULL),
            WEIR_AGAIN);
}

static void what_is_left_counts_as_ended(void **state)
{
    struct fixture *const fixture = *state;

    open_producer(fixture);
    pull_all(fixture);
    for (size_t i = 0; i < RECORDS; i++)
        (void)test_intake_settle(fixture->intake, i, 1, WEIR_OUTCOME_LEAVE);
    fixture->ops->drain(fixture->self);
    assert_ends(fixture, 0);
}

static void tickets_of_a_source_rise_by_one(void **state)
{
    struct fixture *const fixture = *state;

    open_producer(fixture);
    pull_all(fixture);
    for (size_t i = 0; i < RECORDS; i++) {
        const struct test_record *const record =
            test_intake_record(fixture->intake, i);
        size_t before = i;

        while (before > 0 &&
               test_intake_record(fixture->intake, before - 1)->source !=
                   record->source)
            before--;
        if (before > 0)
            assert_int_equal(
                record->ticket,
                test_intake_record(fixture->intake, before - 1)->ticket + 1);
    }
}

static void without_demand_nothing_is_offered(void **state)
{
    struct fixture *const fixture = *state;

    open_producer(fixture);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            test_intake_pull(fixture->intake, 0, clock_after_us(SOON_US), NULL),
            WEIR_AGAIN);
    assert_int_equal(test_intake_count(fixture->intake), 0);
    pull_all(fixture); /* and nothing was lost */
}

static void what_found_no_room_is_offered_again(void **state)
{
    struct fixture *const fixture = *state;

    open_producer(fixture);
    test_intake_set_room(fixture->intake, 3);
    test_intake_pull_until(fixture->intake, 7, 3);
    assert_int_equal(test_intake_pull(fixture->intake, 7, clock_now_us(), NULL),
                     WEIR_AGAIN);
    test_intake_set_room(fixture->intake, SIZE_MAX);
    pull_all(fixture);
    for (size_t i = 0; i < RECORDS; i++)
        for (size_t k = 0; k < i; k++) {
            const struct test_record *const a =
                test_intake_record(fixture->intake, i);
            const struct test_record *const b =
                test_intake_record(fixture->intake, k);

            assert_string_not_equal(a->payload, b->payload);
        }
}

static void a_wake_before_a_pull_cuts_it_short(void **state)
{
    struct fixture *const fixture = *state;

    open_producer(fixture);
    for (size_t i = 0; i < 3; i++) {
        fixture->ops->wake(fixture->self);
        assert_int_equal(
            test_intake_pull(fixture->intake, 0, CLOCK_NEVER_US, NULL),
            WEIR_AGAIN);
    }
}

static void a_wake_before_the_open_is_not_lost(void **state)
{
    struct fixture *const fixture = *state;

    fixture->ops->wake(fixture->self);
    open_producer(fixture);
    pull_all(fixture);
}

static void *wake_once(void *opaque)
{
    const struct fixture *const fixture = opaque;

    fixture->ops->wake(fixture->self);
    return NULL;
}

static void a_wake_of_another_thread_cuts_a_pull_short(void **state)
{
    struct fixture *const fixture = *state;

    open_producer(fixture);
    for (size_t i = 0; i < WAKES; i++) {
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, wake_once, fixture), 0);
        assert_int_equal(
            test_intake_pull(fixture->intake, 0, CLOCK_NEVER_US, NULL),
            WEIR_AGAIN);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

static void after_a_drain_nothing_is_offered(void **state)
{
    struct fixture *const fixture = *state;
    enum weir_status status;

    open_producer(fixture);
    test_intake_pull_until(fixture->intake, 2, 2);
    fixture->ops->drain(fixture->self);
    fixture->ops->drain(fixture->self); /* idempotent */
    /* WEIR_DONE says that the broker has what was settled: nothing, so far. */
    status =
        test_intake_pull(fixture->intake, 0, clock_after_us(SOON_US), NULL);
    assert_true(status == WEIR_AGAIN || status == WEIR_DONE);
    assert_in_range(test_intake_count(fixture->intake), 2, 3);
    while (test_intake_open_count(fixture->intake) > 0)
        (void)test_intake_settle(fixture->intake,
                                 test_intake_open_count(fixture->intake) - 1, 1,
                                 WEIR_OUTCOME_DONE);
    assert_ends(fixture, 0);
    assert_in_range(test_intake_count(fixture->intake), 2, 3);
}

static void a_held_source_waits_and_a_released_one_flows(void **state)
{
    struct fixture *const fixture = *state;
    uint32_t held;
    size_t count;

    open_producer(fixture);
    test_intake_pull_until(fixture->intake, 1, 1);
    held = test_intake_record(fixture->intake, 0)->source;
    fixture->ops->hold(fixture->self, held);
    fixture->ops->hold(fixture->self, held); /* idempotent */
    while (test_intake_pull(fixture->intake, 7, clock_after_us(SOON_US),
                            NULL) == WEIR_OK)
        continue;
    count = test_intake_count(fixture->intake);
    for (size_t i = 1; i < count; i++)
        assert_int_not_equal(test_intake_record(fixture->intake, i)->source,
                             held);
    fixture->ops->release(fixture->self, held);
    fixture->ops->release(fixture->self, held);
    pull_all(fixture);
}

static void after_a_failed_open_it_can_be_closed(void **state)
{
    struct fixture *const fixture = *state;
    struct weir_error err = {0};
    enum weir_status status;

    if (!fixture->prepared)
        skip();
    fixture->subject->spoil(fixture->settings, fixture->prepared);
    status = fixture->ops->open(fixture->self, fixture->settings, &err);
    assert_true(status == WEIR_RETRY || status == WEIR_FATAL);
    assert_string_not_equal(err.text, "");
    fixture->ops->close(fixture->self, clock_after_us(SOON_US));
}

static void a_second_open_begins_anew(void **state)
{
    struct fixture *const fixture = *state;

    open_producer(fixture);
    test_intake_pull_until(fixture->intake, 3, 3);
    test_intake_close(fixture->intake);
    assert_int_equal(fixture->ops->open(fixture->self, fixture->settings, NULL),
                     WEIR_OK);
    /* Settlements of before never come; so it must not wait for them. */
    fixture->ops->drain(fixture->self);
    assert_ends(fixture, 0);
}

/* Of all its sources; one that commits nothing, as standard input, counts as if
 * all that it has read were. */
static struct weir_source_facts describe_all(const struct fixture *fixture)
{
    struct weir_source_facts all = {.position = 0};

    for (uint32_t i = 0; i < TEST_SOURCE_COUNT; i++) {
        struct weir_source_facts facts = {.position = -1, .committed = -1};

        if (!test_intake_is_begun(fixture->intake, i))
            continue;
        fixture->ops->describe(fixture->self, i, &facts);
        assert_true(facts.committed <= facts.position);
        all.position += facts.position;
        all.committed +=
            facts.committed >= 0 ? facts.committed : facts.position;
        all.window += facts.window;
        all.window_limit += facts.window_limit;
    }
    return all;
}

static void what_it_says_of_its_sources_follows_what_was_settled(void **state)
{
    struct fixture *const fixture = *state;
    struct weir_source_facts facts;

    open_producer(fixture);
    pull_all(fixture);
    facts = describe_all(fixture);
    assert_true(facts.window >= RECORDS);
    assert_true(facts.window_limit == 0 || facts.window <= facts.window_limit);
    for (size_t i = 0; i < RECORDS; i++)
        (void)test_intake_settle(fixture->intake, i, 1, WEIR_OUTCOME_DONE);
    assert_ends(fixture, 7);
    facts = describe_all(fixture);
    assert_int_equal(facts.window, 0);
    assert_int_equal(facts.committed, facts.position);
}

/* Everything is there, and is read as if nobody had asked. */
static void asking_it_changes_nothing(void **state)
{
    struct fixture *const fixture = *state;
    struct contract_findings found;

    if (!fixture->prepared)
        skip();
    found = contract_probe(fixture->ops->probe, fixture->settings, LIMIT_US);
    assert_int_equal(found.of[WEIR_SEVERITY_ERROR], 0);
    assert_true(found.of[WEIR_SEVERITY_OK] > 0);
    everything_is_offered_once_and_then_it_ends(state);
}

static void asking_where_nobody_is_finds_an_error_in_time(void **state)
{
    struct fixture *const fixture = *state;
    struct contract_findings found;

    if (!fixture->prepared)
        skip();
    fixture->subject->spoil(fixture->settings, fixture->prepared);
    found = contract_probe(fixture->ops->probe, fixture->settings, ASK_US);
    assert_true(found.of[WEIR_SEVERITY_ERROR] > 0);
}

enum need {
    NEEDS_NOTHING = 0,
    NEEDS_HOLD,
    NEEDS_SPOIL,
    NEEDS_DESCRIBE,
    NEEDS_PROBE,
    NEEDS_PROBE_AND_SPOIL
};

static bool applies(const struct contract_rule *rule,
                    const struct producer_subject *subject)
{
    if (rule->need == NEEDS_HOLD)
        return subject->ops->hold != NULL;
    if (rule->need == NEEDS_DESCRIBE)
        return subject->ops->describe != NULL;
    if (rule->need == NEEDS_PROBE)
        return subject->ops->probe != NULL;
    if (rule->need == NEEDS_PROBE_AND_SPOIL)
        return subject->ops->probe && subject->spoil;
    if (rule->need == NEEDS_SPOIL)
        return subject->spoil != NULL;
    return true;
}

static const struct contract_rule rules[] = {
    RULE(its_table_is_complete),
    RULE(its_own_settings_are_not_refused),
    RULE(everything_is_offered_once_and_then_it_ends),
    RULE(it_does_not_end_while_something_is_open),
    RULE(what_is_left_counts_as_ended),
    RULE(tickets_of_a_source_rise_by_one),
    RULE(without_demand_nothing_is_offered),
    RULE(what_found_no_room_is_offered_again),
    RULE(a_wake_before_a_pull_cuts_it_short),
    RULE(a_wake_before_the_open_is_not_lost),
    RULE(a_wake_of_another_thread_cuts_a_pull_short),
    RULE(after_a_drain_nothing_is_offered),
    RULE_OF(a_held_source_waits_and_a_released_one_flows, NEEDS_HOLD),
    RULE_OF(after_a_failed_open_it_can_be_closed, NEEDS_SPOIL),
    RULE_OF(what_it_says_of_its_sources_follows_what_was_settled,
            NEEDS_DESCRIBE),
    RULE(a_second_open_begins_anew),
    RULE_OF(asking_it_changes_nothing, NEEDS_PROBE),
    RULE_OF(asking_where_nobody_is_finds_an_error_in_time,
            NEEDS_PROBE_AND_SPOIL),
};

int main(void)
{
    static struct contract contract;

    for (const struct producer_subject *subject = producer_subjects;
         subject->ops; subject++)
        for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
            if (applies(&rules[i], subject))
                contract_add(&contract, &rules[i], subject->ops->name, subject);
    return contract_run(&contract, "producer_contract", setup, teardown);
}
