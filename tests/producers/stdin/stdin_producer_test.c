/*
 * stdin_producer_test.c - standard input as pipe, file and nothing at all.
 */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "stdin_producer.h"
#include "test_intake.h"
#include "test_settings.h"

enum { LINE_SIZE = 200 };

struct fixture {
    struct weir_settings *settings;
    struct weir_intake *intake;
    int saved, writer; /* writer: of the pipe that is standard input */
    char log[LINE_SIZE];
};

static void keep_log(void *opaque, enum weir_log_level level, const char *line)
{
    struct fixture *const fixture = opaque;

    (void)level;
    (void)snprintf(fixture->log, sizeof fixture->log, "%s", line);
}

static int setup(void **state)
{
    struct fixture *const fixture = calloc(1, sizeof *fixture);
    int ends[2];

    assert_non_null(fixture);
    fixture->settings = test_settings_create(weir_stdin_producer.options);
    fixture->intake = test_intake_create(&weir_stdin_producer);
    fixture->saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    fixture->writer = ends[1];
    log_set_callback(keep_log, fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *const fixture = *state;

    test_intake_close(fixture->intake);
    log_set_callback(NULL, NULL);
    if (fixture->writer >= 0)
        close(fixture->writer);
    close(STDIN_FILENO);
    if (fixture->saved >= 0) {
        assert_int_equal(dup2(fixture->saved, STDIN_FILENO), STDIN_FILENO);
        close(fixture->saved);
    }
    test_intake_destroy(fixture->intake);
    test_settings_destroy(fixture->settings);
    free(fixture);
    return 0;
}

static void put(const struct fixture *fixture, const char *text)
{
    assert_int_equal(write(fixture->writer, text, strlen(text)), strlen(text));
}

static void end_input(struct fixture *fixture)
{
    close(fixture->writer);
    fixture->writer = -1;
}

static enum weir_status open_producer(struct fixture *fixture)
{
    return weir_stdin_producer.open(test_intake_self(fixture->intake),
                                    fixture->settings, NULL);
}

static enum weir_status pull_now(struct fixture *fixture)
{
    return test_intake_pull(fixture->intake, 10, clock_now_us(), NULL);
}

static void lines_become_messages_with_their_number(void **state)
{
    struct fixture *const fixture = *state;
    const struct test_record *records;

    put(fixture, "one\n\nthree\r\nlast");
    end_input(fixture);
    assert_int_equal(open_producer(fixture), WEIR_OK);
    test_intake_pull_until(fixture->intake, 10, 4);
    records = test_intake_record(fixture->intake, 0);
    assert_string_equal(records[0].payload, "one");
    assert_string_equal(records[1].payload, "");
    assert_true(records[1].has_payload);
    assert_string_equal(records[2].payload, "three\r");
    assert_string_equal(records[3].payload, "last");
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(records[i].offset, i);
        assert_int_equal(records[i].ticket, i);
        assert_int_equal(records[i].timestamp_ms, -1);
        assert_false(records[i].has_key);
    }
    assert_string_equal(test_intake_topic(fixture->intake, 0), "stdin");
}

static void it_says_how_far_it_is_and_what_is_open(void **state)
{
    struct fixture *const fixture = *state;
    struct weir_source_facts facts = {.position = -1, .committed = -1};

    put(fixture, "one\ntwo\nthree\n");
    assert_int_equal(open_producer(fixture), WEIR_OK);
    test_intake_pull_until(fixture->intake, 10, 3);
    (void)test_intake_settle(fixture->intake, 1, 1, WEIR_OUTCOME_DONE);
    weir_stdin_producer.describe(test_intake_self(fixture->intake), 0, &facts);
    assert_int_equal(facts.position, 3);
    assert_int_equal(facts.window, 2);
    assert_int_equal(facts.committed, -1); /* it commits nothing */
}

static void an_empty_input_ends_at_once(void **state)
{
    struct fixture *const fixture = *state;

    end_input(fixture);
    assert_int_equal(open_producer(fixture), WEIR_OK);
    assert_int_equal(
        test_intake_pull(fixture->intake, 10, CLOCK_NEVER_US, NULL), WEIR_DONE);
}

static void a_line_that_is_under_way_is_waited_for(void **state)
{
    struct fixture *const fixture = *state;

    put(fixture, "begin");
    assert_int_equal(open_producer(fixture), WEIR_OK);
    assert_int_equal(pull_now(fixture), WEIR_AGAIN);
    assert_int_equal(pull_now(fixture), WEIR_AGAIN);
    put(fixture, "ning\n");
    test_intake_pull_until(fixture->intake, 10, 1);
    assert_string_equal(test_intake_record(fixture->intake, 0)->payload,
                        "beginning");
}

static void a_wake_cuts_the_wait_for_half_a_line_short(void **state)
{
    struct fixture *const fixture = *state;

    put(fixture, "half");
    assert_int_equal(open_producer(fixture), WEIR_OK);
    weir_stdin_producer.wake(test_intake_self(fixture->intake));
    assert_int_equal(
        test_intake_pull(fixture->intake, 10, CLOCK_NEVER_US, NULL),
        WEIR_AGAIN);
}

static void a_line_above_the_limit_is_omitted_and_never_cut(void **state)
{
    struct fixture *const fixture = *state;
    const struct test_record *records;

    test_settings_share(fixture->settings)->max_message_bytes = 4;
    put(fixture, "four\nmore than four\nok\n");
    end_input(fixture);
    assert_int_equal(open_producer(fixture), WEIR_OK);
    test_intake_pull_until(fixture->intake, 10, 3);
    records = test_intake_record(fixture->intake, 0);
    assert_string_equal(records[0].payload, "four");
    assert_false(records[1].has_payload);
    assert_int_equal(records[1].omitted, strlen("more than four"));
    assert_string_equal(records[2].payload, "ok");
}

static void the_flags_of_the_descriptor_stay_as_they_were(void **state)
{
    struct fixture *const fixture = *state;
    const int flags = fcntl(STDIN_FILENO, F_GETFL);

    put(fixture, "one\n");
    assert_int_equal(open_producer(fixture), WEIR_OK);
    test_intake_pull_until(fixture->intake, 10, 1);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFL), flags);
    test_intake_close(fixture->intake);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFL), flags);
}

static void what_was_not_offered_of_a_file_is_put_back(void **state)
{
    struct fixture *const fixture = *state;
    char path[] = "/tmp/weir_stdin_XXXXXX", rest[LINE_SIZE];
    const int fd = mkstemp(path);
    ssize_t size;

    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write(fd, "one\ntwo\nthree\n", 14), 14);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    close(fd);
    assert_int_equal(open_producer(fixture), WEIR_OK);
    test_intake_pull_until(fixture->intake, 1, 1);
    weir_stdin_producer.drain(test_intake_self(fixture->intake));
    test_intake_close(fixture->intake);
    size = read(STDIN_FILENO, rest, sizeof rest);
    assert_int_equal(size, 10);
    assert_memory_equal(rest, "two\nthree\n", 10);
    assert_string_equal(fixture->log, "");
}

static void what_was_not_offered_of_a_pipe_is_said(void **state)
{
    struct fixture *const fixture = *state;

    put(fixture, "one\ntwo secret\n");
    assert_int_equal(open_producer(fixture), WEIR_OK);
    test_intake_pull_until(fixture->intake, 1, 1);
    test_intake_close(fixture->intake);
    assert_non_null(strstr(fixture->log, "11 bytes"));
    assert_null(strstr(fixture->log, "secret"));
}

static void an_input_that_cannot_be_read_is_fatal(void **state)
{
    struct fixture *const fixture = *state;
    const int folder = open("/", O_RDONLY | O_DIRECTORY);
    struct weir_error err = {0};

    assert_int_equal(dup2(folder, STDIN_FILENO), STDIN_FILENO);
    close(folder);
    assert_int_equal(open_producer(fixture), WEIR_OK);
    assert_int_equal(
        test_intake_pull(fixture->intake, 10, CLOCK_NEVER_US, &err),
        WEIR_FATAL);
    assert_memory_equal(err.text, "stdin: ", 7);
}

static void more_than_one_reader_is_refused(void **state)
{
    struct fixture *const fixture = *state;

    test_settings_share(fixture->settings)->count = 2;
    weir_stdin_producer.check(fixture->settings);
    assert_non_null(
        strstr(test_settings_take_refusals(fixture->settings), "concurrency"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_become_messages_with_their_number),
        TEST(it_says_how_far_it_is_and_what_is_open),
        TEST(an_empty_input_ends_at_once),
        TEST(a_line_that_is_under_way_is_waited_for),
        TEST(a_wake_cuts_the_wait_for_half_a_line_short),
        TEST(a_line_above_the_limit_is_omitted_and_never_cut),
        TEST(the_flags_of_the_descriptor_stay_as_they_were),
        TEST(what_was_not_offered_of_a_file_is_put_back),
        TEST(what_was_not_offered_of_a_pipe_is_said),
        TEST(an_input_that_cannot_be_read_is_fatal),
        TEST(more_than_one_reader_is_refused),
    };

    return cmocka_run_group_tests_name("stdin_producer", tests, NULL, NULL);
}
