/*
 * explain_test.c - what holds a run up, in words that say what to do.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"

static int setup(void **state)
{
    *state = NULL;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

/* What is said of this page; single quotes stand for double ones. */
static const char *explained(void **state, const char *quoted)
{
    char text[4096];
    size_t size = 0;
    json_t *page;
    FILE *out;

    assert_true(strlen(quoted) < sizeof text);
    for (size_t i = 0; i <= strlen(quoted); i++)
        text[i] = (char)(quoted[i] == '\'' ? '"' : quoted[i]);
    page = json_loads(text, 0, NULL);
    assert_non_null(page);
    free(*state);
    *state = NULL;
    out = open_memstream((char **)state, &size);
    assert_non_null(out);
    explain(page, out);
    assert_int_equal(fclose(out), 0);
    json_decref(page);
    return *state;
}

static void assert_says(const char *said, const char *text)
{
    if (!strstr(said, text))
        fail_msg("'%s' is not in:\n%s", text, said);
}

#define SOURCE(more)                                                           \
    "'sources':[{'name':'orders','partition':2,'committed':41,"                \
    "'position':130,'lag':9,'behind_ms':65000,'open':3,'window':89,"           \
    "'window_limit':89,'hold':'window','oldest':{'position':41,"               \
    "'there_ms':1500,'oldest_ms':125000," more "}}]"

static void a_message_in_the_handler_is_named_with_its_worker(void **state)
{
    const char *said = explained(
        state,
        "{" SOURCE(
            "'where':'handler','worker':1,'attempt':2") ",'workers':[{'stage':'"
                                                        "processors','index':1,"
                                                        "'callback':{'name':'"
                                                        "orders','partition':2,"
                                                        "'position':41,'for_ms'"
                                                        ":1500}}]}");

    assert_says(said, "orders[2]: committed 41, read up to 130, lag 9 "
                      "(1 min 5 s), 3 open\n");
    assert_says(said,
                "held by orders[2]@41 for 2 min 5 s, where it is for 1 s");
    assert_says(said, "in the handler, on worker 1, attempt 2\n");
    assert_says(said, "89 of 89 messages of its window are not settled");
    assert_says(said, "do: find out what the handler waits for");
}

static void one_that_was_handled_points_at_what_its_hand_waits_for(void **state)
{
    assert_says(explained(state,
                          "{" SOURCE("'where':'handler','worker':0,'attempt':"
                                     "1") ",'workers':[{'stage':'processors','"
                                          "index':0,"
                                          "'callback':{'name':'orders','"
                                          "partition':2,"
                                          "'position':44,'for_ms':61000}}]}"),
                "handled by worker 0, and goes on with its hand, which is at "
                "orders[2]@44 for 1 min 1 s");
}

static void a_destination_that_is_down_is_the_reason(void **state)
{
    const char *said =
        explained(state, "{" SOURCE("'where':'sink','batcher':'audit','worker':"
                                    "1") ",'workers':[{'stage':'sink','batcher'"
                                         ":'audit','index':1,"
                                         "'is_connected':false,'down_ms':9000,'"
                                         "trouble':'no route'}]}");

    assert_says(said, "at the sink of audit, worker 1, whose destination is "
                      "down for 9 s: no route\n");
    assert_says(said, "do: bring the destination back");
}

/* A batch that nobody can take is not one that fills. */
static void a_batch_waits_for_a_destination_that_is_down(void **state)
{
    const char *said = explained(
        state,
        "{" SOURCE(
            "'where':'batcher','batcher':'audit'") ","
                                                   "'workers':[{'stage':'sink',"
                                                   "'batcher':'default',"
                                                   "'is_connected':true},"
                                                   "{'stage':'sink','batcher':'"
                                                   "audit',"
                                                   "'is_connected':false,'down_"
                                                   "ms':9000,"
                                                   "'trouble':'no route'}]}");

    assert_says(said, "in batcher audit, whose destination is down for 9 s: "
                      "no route\n");
    said = explained(
        state,
        "{" SOURCE(
            "'where':'batcher','batcher':'audit'") ","
                                                   "'workers':[{'stage':'sink',"
                                                   "'batcher':'audit',"
                                                   "'is_connected':false},"
                                                   "{'stage':'sink','batcher':'"
                                                   "audit',"
                                                   "'is_connected':true}]}");
    assert_says(said, "in batcher audit, until its batch is full");
}

static void a_retry_says_how_often_and_why(void **state)
{
    const char *said = explained(
        state,
        "{" SOURCE("'where':'retry','attempt':4,'why':'no such tariff'") "}");

    assert_says(said, "waits to be handled again, after attempt 4\n");
    assert_says(said, "last error: no such tariff\n");
}

static void a_queue_has_tags_and_no_positions(void **state)
{
    const char *said = explained(
        state, "{'sources':[{'name':'jobs','partition':null,'committed':null,"
               "'window':3,'lag':null,'open':3,'hold':null,"
               "'oldest':{'where':'queue','position':7}}],"
               "'workers':[{'stage':'processors','in_hand':2},"
               "{'stage':'processors','in_hand':0}]}");

    assert_says(said, "jobs: 3 delivered and not acknowledged, 3 open\n");
    assert_says(said, "held by jobs#7");
    assert_says(said, "waits for a worker; 1 of 2 are busy");
}

static void each_mailbox_says_who_waits_for_whom(void **state)
{
    const char *said = explained(
        state,
        "{'mailboxes':[{'from':'producer','to':'processors','messages':10,"
        "'max_messages':10,'has_waiting_writers':true},"
        "{'from':'batcher','to':'sink','batcher':'audit','messages':7,"
        "'batches':1,'max_batches':2,'has_waiting_readers':true}]}");

    assert_says(said, "producer to processors: 10 of 10 messages; producer "
                      "waits for processors\n");
    assert_says(said, "batcher to sink of audit: 7 messages, 1 of 2 batches; "
                      "sink waits for batcher\n");
}

static void a_broker_that_is_not_there_is_said_first(void **state)
{
    const char *said =
        explained(state, "{'producers':[{'is_connected':false,"
                         "'trouble':'127.0.0.1:9092 refuses'}]}");

    assert_int_equal(
        strncmp(said, "producer 0 has no connection: 127.0.0.1:9092 refuses\n",
                52),
        0);
    assert_says(said, "no partition or queue is ours now\n");
}

/* A reason is written by whoever wrote the message. */
static void nothing_reaches_the_terminal_but_text(void **state)
{
    const char *said = explained(
        state, "{" SOURCE("'where':'retry','why':'a\\u001b[2Jb\\nc'") "}");

    assert_says(said, "last error: a\\x1b[2Jb\\nc\n");
    assert_null(strchr(said, 27));
}

/* An older or newer weir, or something else: no crash. */
static void what_is_missing_is_left_out(void **state)
{
    assert_says(explained(state, "{}"), "no partition or queue is ours now\n");
    assert_says(explained(state, "{'sources':[{'oldest':{'where':'handler'}},"
                                 "{'oldest':{'where':'sink'}},{}],"
                                 "'mailboxes':[{}],'producers':[{}],"
                                 "'workers':[{},{'stage':'sink'}]}"),
                "held by ");
}

static void a_file_that_is_not_what_runs_is_told(void **state)
{
    const char *said = explained(
        state, "{'reload':{'generation':2,'stages_behind':1,'last':{'result':"
               "'applied','needs_restart_count':1,'needs_restart':[{'path':"
               "'producer.kafka.topics'}]}}}");

    assert_says(said,
                "1 of the workers go by the values from before the reload");
    assert_says(said, "only a restart makes hold, at\n"
                      "    producer.kafka.topics\n");
    said = explained(state, "{'reload':{'last':{'result':'refused','by':"
                            "'SIGHUP','why':'no such file'}}}");
    assert_says(said, "the last reload (SIGHUP) was refused, and nothing has "
                      "changed: no such file\n    do: mend the file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_in_the_handler_is_named_with_its_worker),
        TEST(one_that_was_handled_points_at_what_its_hand_waits_for),
        TEST(a_destination_that_is_down_is_the_reason),
        TEST(a_batch_waits_for_a_destination_that_is_down),
        TEST(a_retry_says_how_often_and_why),
        TEST(a_queue_has_tags_and_no_positions),
        TEST(each_mailbox_says_who_waits_for_whom),
        TEST(a_broker_that_is_not_there_is_said_first),
        TEST(nothing_reaches_the_terminal_but_text),
        TEST(what_is_missing_is_left_out),
        TEST(a_file_that_is_not_what_runs_is_told),
    };
    return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
