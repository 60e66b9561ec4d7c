/*
 * survey_test.c - the oldest message of each source, and where it is, is known
 * without asking whoever has it.
 */
#include "test.h"

#include "rig.h"
#include "survey.h"

enum { MOST = 4 };

static int setup(void **state)
{
    *state = rig_create(WEIR_ORDERING_NONE);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

/* Now, and not when it is time to. */
static size_t survey(struct rig *rig, struct source_report out[MOST])
{
    rig->intake.survey.due_us = 0;
    survey_publish(&rig->intake);
    return survey_read(&rig->intake.survey, out, MOST);
}

static struct source_report survey_one(struct rig *rig)
{
    struct source_report reports[MOST];

    assert_int_equal(survey(rig, reports), 1);
    return reports[0];
}

static void done(struct rig *rig, struct weir_message *msg)
{
    settle(&rig->settler, msg, ENDING_DONE);
    settler_flush(&rig->settler);
    rig_serve(rig);
}

static void each_source_has_its_oldest_open_message(void **state)
{
    struct rig *rig = *state;
    struct source_report reports[MOST];
    struct hand hand, rest;

    rig_begin(rig, 0);
    rig_begin(rig, 2);
    rig_offer(rig, 0, 64);
    rig_offer(rig, 2, 200);
    rig_take(rig, &hand, 64);
    rig_take(rig, &rest, 64);
    for (uint32_t i = 0; i < 64; i++) {
        if (i != 7)
            settle(&rig->settler, hand.messages[i], ENDING_DONE);
        settle(&rig->settler, rest.messages[i], ENDING_DONE);
    }
    settler_flush(&rig->settler);
    rig_serve(rig);

    assert_int_equal(survey(rig, reports), 2);
    assert_string_equal(reports[0].name, "t");
    assert_int_equal(reports[0].partition, 0);
    assert_true(reports[0].oldest.exists);
    assert_int_equal(reports[0].oldest.position, 7);
    assert_int_equal(reports[0].open, 1);
    assert_int_equal(reports[1].partition, 2);
    assert_int_equal(reports[1].oldest.position, 128);
    assert_int_equal(reports[1].open, 200 - 64);
    done(rig, hand.messages[7]);
    assert_int_equal(survey(rig, reports), 2);
    assert_false(reports[0].oldest.exists);
    ready_finish(rig->ready, &hand, &(struct mail_list){0}, 0);
    ready_finish(rig->ready, &rest, &(struct mail_list){0}, 0);
    rig_finish_all(rig, ENDING_DONE);
}

static void it_is_where_its_stage_said_last(void **state)
{
    struct rig *rig = *state;
    struct source_report report;
    struct weir_message *msg;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    assert_int_equal(survey_one(rig).oldest.at.where, WHERE_QUEUE);
    msg = rig_take_one(rig);
    message_goes(&rig->run, msg,
                 (struct whereabouts){.where = WHERE_SINK_RETRY,
                                      .attempt = 3,
                                      .worker = 11,
                                      .batcher = 5});
    report = survey_one(rig);
    assert_int_equal(report.oldest.at.where, WHERE_SINK_RETRY);
    assert_int_equal(report.oldest.at.attempt, 3);
    assert_int_equal(report.oldest.at.worker, 11);
    assert_int_equal(report.oldest.at.batcher, 5);
    done(rig, msg);
}

static void what_does_not_fit_the_word_is_the_largest_that_does(void **state)
{
    const struct whereabouts at = {.where = WHERE_RETRY,
                                   .attempt = 1000000,
                                   .worker = 1023,
                                   .batcher = 1000000,
                                   .since_ms = UINT32_MAX};
    const struct whereabouts got = where_unpack(where_pack(&at));

    (void)state;
    assert_int_equal(got.where, WHERE_RETRY);
    assert_int_equal(got.attempt, 255);
    assert_int_equal(got.worker, 1023);
    assert_int_equal(got.batcher, 255);
    assert_int_equal(got.since_ms, UINT32_MAX);
}

/* A worker keeps a message apart, so that it pins nothing. */
static void a_copy_stands_for_its_message(void **state)
{
    struct rig *rig = *state;
    struct source_report report;
    struct weir_message *copy;
    struct hand hand;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 20);
    rig_take(rig, &hand, 10); /* a fair share */
    copy = message_move(&rig->run, hand.messages[3], false);
    assert_non_null(copy);
    message_goes(&rig->run, copy, (struct whereabouts){.where = WHERE_RETRY});
    note_write(&copy->chunk->why, "the far end is asleep");
    for (uint32_t i = 0; i < 10; i++)
        settle(&rig->settler, hand.messages[i],
               i == 3 ? ENDING_MOVED : ENDING_DONE);
    settler_flush(&rig->settler);
    rig_serve(rig);

    report = survey_one(rig);
    assert_int_equal(report.oldest.position, 3);
    assert_int_equal(report.oldest.at.where, WHERE_RETRY);
    assert_string_equal(report.oldest.why, "the far end is asleep");
    done(rig, copy);
    assert_int_equal(survey_one(rig).oldest.position, 10);
    ready_finish(rig->ready, &hand, &(struct mail_list){0}, 0);
    rig_finish_all(rig, ENDING_DONE);
}

/* Workers end them on threads of their own, in any order. */
static void the_epoch_of_a_slot_that_was_left_may_be_gone(void **state)
{
    struct rig *rig = *state;
    struct source_report reports[MOST];
    struct weir_message *msg, *copy;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    msg = rig_take_one(rig);
    copy = message_move(&rig->run, msg, false);
    assert_non_null(copy);
    weir_intake_end(&rig->intake, 0);
    done(rig, copy); /* and with it the last of its epoch */
    assert_null(rig->intake.ended);
    assert_int_equal(survey(rig, reports), 0);
    settle(&rig->settler, msg, ENDING_MOVED);
    settler_flush(&rig->settler);
    rig_serve(rig);
}

static void what_was_settled_early_holds_nothing(void **state)
{
    struct rig *rig = *state;
    struct weir_message *msg, *ghost;

    rig_begin(rig, 0);
    rig_offer(rig, 0, 1);
    msg = rig_take_one(rig);
    ghost = message_move(&rig->run, msg, true);
    assert_non_null(ghost);
    message_goes(&rig->run, ghost, (struct whereabouts){.where = WHERE_GHOST});
    ghost->is_ghost = true;
    atomic_fetch_add(&ghost->epoch->ghosts, 1);
    done(rig, msg);
    message_goes(&rig->run, ghost,
                 (struct whereabouts){.where = WHERE_BATCHER});
    assert_false(survey_one(rig).oldest.exists);
    done(rig, ghost);
}

static void a_source_that_ended_is_gone_and_a_new_epoch_is_another(void **state)
{
    struct rig *rig = *state;
    struct source_report reports[MOST];

    rig_begin(rig, 0);
    assert_int_equal(survey_one(rig).epoch, 1);
    weir_intake_end(&rig->intake, 0);
    survey_publish(&rig->intake); /* without waiting for its time */
    assert_int_equal(survey_read(&rig->intake.survey, reports, MOST), 0);
    rig_begin(rig, 0);
    assert_int_equal(survey_one(rig).epoch, 2);
}

static void it_is_published_a_few_times_a_second(void **state)
{
    struct rig *rig = *state;
    struct source_report report;

    rig_begin(rig, 0);
    assert_false(survey_one(rig).oldest.exists);
    rig_offer(rig, 0, 1);
    rig->intake.survey.due_us = INT64_MAX;
    survey_publish(&rig->intake);
    assert_int_equal(survey_read(&rig->intake.survey, &report, 1), 1);
    assert_false(report.oldest.exists);
    assert_true(survey_one(rig).oldest.exists);
    rig_finish_all(rig, ENDING_DONE);
}

static void fill_window(const void *self, uint32_t source,
                        struct weir_source_facts *facts)
{
    (void)self;
    assert_int_equal(source, 0);
    facts->position = 42;
    facts->committed = 40;
    facts->window = 5;
    facts->window_limit = 5;
}

static void a_source_that_does_not_flow_says_why(void **state)
{
    struct rig *rig = *state;
    struct source_report report;

    rig_begin(rig, 0);
    weir_intake_set_lag(&rig->intake, 0, 17);
    report = survey_one(rig);
    assert_int_equal(report.hold, SOURCE_FLOWS);
    assert_int_equal(report.lag, 17);
    assert_int_equal(report.facts.position, -1);
    rig->intake.epochs[0]->is_held = true;
    rig->intake.held++;
    assert_int_equal(survey_one(rig).hold, SOURCE_WAITS);
    rig->intake.describe = fill_window;
    report = survey_one(rig);
    assert_int_equal(report.hold, SOURCE_WINDOW);
    assert_int_equal(report.facts.position, 42);
    assert_int_equal(report.facts.committed, 40);
    rig->intake.describe = NULL;
    assert_int_equal(weir_intake_await(&rig->intake, 0, 0), WEIR_OK);
    assert_int_equal(survey_one(rig).hold, SOURCE_DRAINS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_source_has_its_oldest_open_message),
        TEST(it_is_where_its_stage_said_last),
        TEST_ALONE(what_does_not_fit_the_word_is_the_largest_that_does),
        TEST(a_copy_stands_for_its_message),
        TEST(the_epoch_of_a_slot_that_was_left_may_be_gone),
        TEST(what_was_settled_early_holds_nothing),
        TEST(a_source_that_ended_is_gone_and_a_new_epoch_is_another),
        TEST(it_is_published_a_few_times_a_second),
        TEST(a_source_that_does_not_flow_says_why),
    };
    return cmocka_run_group_tests_name("survey", tests, NULL, NULL);
}
