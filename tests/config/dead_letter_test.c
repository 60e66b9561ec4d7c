/*
 * dead_letter_test.c - what a topology says of dead letters.
 */
#include "test.h"

#include "load_support.h"

#define LOG "name: t\nproducer: { log: { topics: a, group: g } }\n"

#define DEAD                                                                   \
    "processors: { handler: passthrough }\nfailure: { then: dead_letter }\n"

static void dead_letters_need_a_batcher_of_that_name(void **state)
{
    (void)state;
    assert_refused(COUNTER DEAD,
                   "/conf/t.yaml:4:18: failure.then: needs a batcher of that "
                   "name, as in `batchers: { dead_letter: { sink: ... } }`\n");
    assert_accepted(COUNTER "batchers: { dead_letter: { sink: void } }\n" DEAD);
    assert_accepted(COUNTER "batchers: { default: { sink: void }, "
                            "dead_letter: { sink: void } }\n" DEAD);
    assert_refused(COUNTER "batchers: { dead_letter: {} }\n" DEAD,
                   "/conf/t.yaml:3:13: batchers.dead_letter.sink: is required: "
                   "passthrough has no handle_batch() that could take its "
                   "batches\n");
}

static void a_dead_letter_batcher_that_gets_nothing_is_said(void **state)
{
    (void)state;
    assert_mentions(COUNTER "batchers: { default: { sink: void }, "
                            "dead_letter: { sink: void } }\n" REST,
                    "batchers.dead_letter: warning: no message will come here, "
                    "since `failure.then` is drop");
}

static void between_it_and_others_no_order_is_asked_for(void **state)
{
    (void)state;
    assert_accepted(LOG "batchers: { dead_letter: { sink: void }, default: { "
                        "sink: void } }\n" DEAD);
}

static void dead_letters_that_the_producer_reads_are_refused(void **state)
{
    (void)state;
    assert_refused(
        LOG "batchers: { dead_letter: { sink: { log: { topic: a } } } }\n" DEAD,
        "/conf/t.yaml:3:41: batchers.dead_letter.sink.log: the producer reads "
        "what is written here: a dead letter would come back and fail again, "
        "for ever\n");
    assert_accepted(
        LOG
        "batchers: { dead_letter: { sink: { log: { topic: b } } } }\n" DEAD);
    assert_accepted(
        LOG "batchers: { default: { sink: { log: { topic: a } } } }\n" REST);
}

#define STOP(value)                                                            \
    COUNTER "processors: { handler: passthrough }\n"                           \
            "failure: { then: drop, stop_above: " value " }\n"

static void a_share_that_stops_the_source_is_written_with_its_time(void **state)
{
    struct loaded loaded;

    (void)state;
    load_text(&loaded, STOP("40% over 90s"));
    assert_int_equal(loaded.status, WEIR_OK);
    assert_int_equal(loaded.topology->failure.stop_percent, 40);
    assert_int_equal(loaded.topology->failure.stop_over_us, 90000000);
    loaded_finish(&loaded);
    assert_refused(STOP("a half"),
                   "/conf/t.yaml:4:36: failure.stop_above: `a half` is not a "
                   "share of a time, as in 50% over 1m\n");
    assert_mentions(STOP("50%"), "`50%` is not a share of a time");
    assert_mentions(STOP("50.5% over 1m"), "is not a share of a time");
    assert_mentions(STOP("0% over 1m"), "a share is 1% to 99%");
    assert_mentions(STOP("100% over 1m"), "a share is 1% to 99%");
    assert_mentions(STOP("50% over 10ms"), "the time is 1s to 1d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(dead_letters_need_a_batcher_of_that_name),
        TEST_ALONE(a_dead_letter_batcher_that_gets_nothing_is_said),
        TEST_ALONE(dead_letters_that_the_producer_reads_are_refused),
        TEST_ALONE(a_share_that_stops_the_source_is_written_with_its_time),
        TEST_ALONE(between_it_and_others_no_order_is_asked_for),
    };
    return cmocka_run_group_tests_name("dead_letter", tests, NULL, NULL);
}
