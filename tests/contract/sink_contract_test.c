/*
 * sink_contract_test.c - the rules of <weir/sink.h>, for every sink.
 *
 * Each rule is a test, and runs once for each subject.  The batch that it
 * drives them with (tests/support/test_batch.c) checks what holds always: an
 * outcome is OK, RETRY or REJECT, for a message that is there, and set once.
 */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "contract.h"
#include "option_rules.h"
#include "sink_subjects.h"
#include "test_batch.h"
#include "test_settings.h"

enum { MESSAGES = 50, PAYLOAD_SIZE = 1000, BATCHES = 20, WAKES = 20 };

#define SOON_US  (CLOCK_SECOND_US / 20)
#define LIMIT_US (10 * CLOCK_SECOND_US)
#define ASK_US   (1 * CLOCK_SECOND_US)

struct fixture {
    const struct sink_subject *subject;
    const struct weir_sink_ops *ops;
    struct weir_settings *settings;
    void *self, *prepared;
    struct weir_batch *batch;
    char payload[PAYLOAD_SIZE + 1];
    bool is_open;
};

static struct weir_batch *new_batch(struct fixture *fixture)
{
    struct test_message messages[MESSAGES];

    for (size_t i = 0; i < MESSAGES; i++)
        messages[i] =
            (struct test_message){.topic = "t",
                                  .offset = (int64_t)i,
                                  .payload = {fixture->payload, i * 20}};
    test_batch_destroy(fixture->batch);
    fixture->batch = test_batch_create(messages, MESSAGES);
    return fixture->batch;
}

static int setup(void **state)
{
    const struct sink_subject *const *const chosen = *state;
    const struct sink_subject *const subject = *chosen;
    struct fixture *const fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    fixture->subject = subject;
    fixture->ops = subject->ops;
    fixture->settings = test_settings_create(subject->ops->options);
    fixture->self = calloc(1, subject->ops->self_size);
    assert_non_null(fixture->self);
    fixture->prepared = subject->prepare(fixture->settings);
    memset(fixture->payload, 'x', PAYLOAD_SIZE);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *const fixture = *state;

    if (fixture->is_open)
        fixture->ops->close(fixture->self, clock_after_us(SOON_US));
    if (fixture->prepared)
        fixture->subject->finish(fixture->prepared);
    test_batch_destroy(fixture->batch);
    test_settings_destroy(fixture->settings);
    free(fixture->self);
    free(fixture);
    return 0;
}

static void open_sink(struct fixture *fixture)
{
    struct weir_error err = {0};

    if (!fixture->prepared)
        skip();
    fixture->is_open = true;
    if (fixture->ops->open(fixture->self, fixture->settings, &err) != WEIR_OK)
        fail_msg("open: %s", err.text);
}

/* Hands a batch over and serves the sink until it is over. */
static void write_batch(struct fixture *fixture, struct weir_batch *batch)
{
    const int64_t limit_us = clock_after_us(LIMIT_US);

    assert_int_equal(fixture->ops->write(fixture->self, batch, NULL), WEIR_OK);
    while (test_batch_open_count(batch) > 0) {
        assert_non_null(fixture->ops->poll);
        assert_int_equal(
            fixture->ops->poll(fixture->self, clock_after_us(SOON_US), NULL),
            WEIR_OK);
        assert_true(clock_now_us() < limit_us);
    }
    for (size_t i = 0; i < MESSAGES; i++)
        assert_int_equal(test_batch_outcome(batch, i), WEIR_OK);
}

static void its_table_is_complete(void **state)
{
    const struct fixture *const fixture = *state;
    const struct weir_sink_ops *const ops = fixture->ops;

    assert_non_null(ops->name);
    assert_non_null(ops->help);
    assert_true(ops->self_size > 0);
    assert_true(ops->open && ops->write && ops->close);
    assert_true(!ops->flush || ops->poll); /* what is buffered is served */
    assert_true(!ops->poll || ops->wake);  /* a wait can be cut short */
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

static void every_message_gets_one_outcome(void **state)
{
    struct fixture *const fixture = *state;

    open_sink(fixture);
    for (size_t i = 0; i < BATCHES; i++)
        write_batch(fixture, new_batch(fixture));
}

static void a_flush_ends_what_is_open(void **state)
{
    struct fixture *const fixture = *state;

    open_sink(fixture);
    assert_int_equal(
        fixture->ops->write(fixture->self, new_batch(fixture), NULL), WEIR_OK);
    if (fixture->ops->flush)
        assert_int_equal(
            fixture->ops->flush(fixture->self, clock_after_us(LIMIT_US), NULL),
            WEIR_OK);
    assert_int_equal(test_batch_open_count(fixture->batch), 0);
}

static void a_flush_of_nothing_is_over_at_once(void **state)
{
    struct fixture *const fixture = *state;

    open_sink(fixture);
    assert_int_equal(fixture->ops->flush(fixture->self, CLOCK_NEVER_US, NULL),
                     WEIR_OK);
}

static void a_poll_comes_back_at_its_deadline(void **state)
{
    struct fixture *const fixture = *state;
    const int64_t deadline_us = clock_after_us(SOON_US);

    open_sink(fixture);
    assert_int_equal(fixture->ops->poll(fixture->self, deadline_us, NULL),
                     WEIR_OK);
    assert_true(clock_now_us() < deadline_us + CLOCK_SECOND_US);
}

static void *wake_once(void *opaque)
{
    const struct fixture *const fixture = opaque;

    fixture->ops->wake(fixture->self);
    return NULL;
}

static void a_wake_of_another_thread_cuts_a_poll_short(void **state)
{
    struct fixture *const fixture = *state;
    const int64_t deadline_us = clock_after_us(LIMIT_US);

    open_sink(fixture);
    for (size_t i = 0; i < WAKES; i++) {
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, wake_once, fixture), 0);
        assert_int_equal(fixture->ops->poll(fixture->self, deadline_us, NULL),
                         WEIR_OK);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    assert_true(clock_now_us() < deadline_us);
}

static void a_wake_before_the_open_does_no_harm(void **state)
{
    struct fixture *const fixture = *state;

    fixture->ops->wake(fixture->self);
    open_sink(fixture);
    write_batch(fixture, new_batch(fixture));
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

static void a_second_open_goes_on(void **state)
{
    struct fixture *const fixture = *state;

    open_sink(fixture);
    write_batch(fixture, new_batch(fixture));
    fixture->ops->close(fixture->self, clock_after_us(SOON_US));
    open_sink(fixture);
    write_batch(fixture, new_batch(fixture));
}

static void what_has_no_outcome_at_the_close_can_be_written_again(void **state)
{
    struct fixture *const fixture = *state;

    open_sink(fixture);
    assert_int_equal(
        fixture->ops->write(fixture->self, new_batch(fixture), NULL), WEIR_OK);
    fixture->ops->close(fixture->self, clock_after_us(SOON_US));
    open_sink(fixture);
    if (test_batch_open_count(fixture->batch) == MESSAGES)
        write_batch(fixture, fixture->batch); /* not twice: checked there */
    write_batch(fixture, new_batch(fixture));
}

/* It is there, and is written as if nobody had asked. */
static void asking_it_leaves_it_as_it_is(void **state)
{
    struct fixture *const fixture = *state;
    struct contract_findings found;

    if (!fixture->prepared)
        skip();
    found = contract_probe(fixture->ops->probe, fixture->settings, LIMIT_US);
    assert_int_equal(found.of[WEIR_SEVERITY_ERROR], 0);
    assert_true(found.of[WEIR_SEVERITY_OK] > 0);
    every_message_gets_one_outcome(state);
}

static void asking_where_nobody_is_finds_it_in_time(void **state)
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
    NEEDS_POLL,
    NEEDS_FLUSH,
    NEEDS_WAKE,
    NEEDS_SPOIL,
    NEEDS_PROBE,
    NEEDS_PROBE_AND_SPOIL
};

static bool applies(const struct contract_rule *rule,
                    const struct sink_subject *subject)
{
    switch (rule->need) {
    case NEEDS_POLL:
        return subject->ops->poll != NULL;
    case NEEDS_FLUSH:
        return subject->ops->flush != NULL;
    case NEEDS_WAKE:
        return subject->ops->wake != NULL;
    case NEEDS_SPOIL:
        return subject->spoil != NULL;
    case NEEDS_PROBE:
        return subject->ops->probe != NULL;
    case NEEDS_PROBE_AND_SPOIL:
        return subject->ops->probe && subject->spoil;
    case NEEDS_NOTHING:
        break;
    }
    return true;
}

static const struct contract_rule rules[] = {
    RULE(its_table_is_complete),
    RULE(its_own_settings_are_not_refused),
    RULE(every_message_gets_one_outcome),
    RULE(a_flush_ends_what_is_open),
    RULE_OF(a_flush_of_nothing_is_over_at_once, NEEDS_FLUSH),
    RULE_OF(a_poll_comes_back_at_its_deadline, NEEDS_POLL),
    RULE_OF(a_wake_of_another_thread_cuts_a_poll_short, NEEDS_POLL),
    RULE_OF(a_wake_before_the_open_does_no_harm, NEEDS_WAKE),
    RULE_OF(after_a_failed_open_it_can_be_closed, NEEDS_SPOIL),
    RULE(a_second_open_goes_on),
    RULE(what_has_no_outcome_at_the_close_can_be_written_again),
    RULE_OF(asking_it_leaves_it_as_it_is, NEEDS_PROBE),
    RULE_OF(asking_where_nobody_is_finds_it_in_time, NEEDS_PROBE_AND_SPOIL),
};

int main(void)
{
    static struct contract contract;

    for (const struct sink_subject *subject = sink_subjects; subject->ops;
         subject++)
        for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
            if (applies(&rules[i], subject))
                contract_add(&contract, &rules[i], subject->name, subject);
    return contract_run(&contract, "sink_contract", setup, teardown);
}
