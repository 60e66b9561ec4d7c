/*
 * stdout_sink_test.c - standard output to readers of all kinds.
 */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "stdout_sink.h"
#include "test_batch.h"
#include "test_settings.h"

enum { MESSAGES = 40, PAYLOAD_SIZE = 9999, TEXT_SIZE = 1024 * 1024 };

struct fixture {
    struct weir_settings *settings;
    void *self;
    struct weir_batch *batch;
    int saved, reader; /* reader: of the pipe that is standard output */
    char *text;
    size_t size;
};

static int setup(void **state)
{
    struct fixture *const fixture = calloc(1, sizeof *fixture);
    int ends[2];

    assert_non_null(fixture);
    fixture->settings = test_settings_create(weir_stdout_sink.options);
    fixture->self = calloc(1, weir_stdout_sink.self_size);
    fixture->text = malloc(TEXT_SIZE);
    assert_true(fixture->self && fixture->text);
    (void)fflush(stdout);
    fixture->saved = dup(STDOUT_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    close(ends[1]);
    fixture->reader = ends[0];
    assert_int_equal(
        weir_stdout_sink.open(fixture->self, fixture->settings, NULL), WEIR_OK);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *const fixture = *state;

    weir_stdout_sink.close(fixture->self, 0);
    assert_int_equal(dup2(fixture->saved, STDOUT_FILENO), STDOUT_FILENO);
    close(fixture->saved);
    if (fixture->reader >= 0)
        close(fixture->reader);
    test_batch_destroy(fixture->batch);
    test_settings_destroy(fixture->settings);
    free(fixture->self);
    free(fixture->text);
    free(fixture);
    return 0;
}

/* Reads what is in the pipe. */
static void drain_pipe(struct fixture *fixture)
{
    ssize_t count;

    do {
        count = read(fixture->reader, fixture->text + fixture->size,
                     TEXT_SIZE - fixture->size);
        if (count > 0)
            fixture->size += (size_t)count;
    } while (count > 0);
}

/* More than a pipe holds: messages "a...", "b...", of 10,000 bytes each. */
static struct weir_batch *large_batch(struct fixture *fixture)
{
    static char payloads[MESSAGES][PAYLOAD_SIZE + 1];
    const char *list[MESSAGES + 1] = {NULL};

    for (size_t i = 0; i < MESSAGES; i++) {
        memset(payloads[i], (int)('A' + i), PAYLOAD_SIZE);
        list[i] = payloads[i];
    }
    fixture->batch = test_batch_of(list);
    return fixture->batch;
}

static enum weir_status write_batch(struct fixture *fixture,
                                    struct weir_error *err)
{
    return weir_stdout_sink.write(fixture->self, fixture->batch, err);
}

static void a_small_batch_is_written_at_once(void **state)
{
    struct fixture *const fixture = *state;
    const char *const payloads[] = {"one", "x\ny", "two", NULL};

    fixture->batch = test_batch_of(payloads);
    assert_int_equal(write_batch(fixture, NULL), WEIR_OK);
    assert_int_equal(test_batch_outcome(fixture->batch, 0), WEIR_OK);
    assert_int_equal(test_batch_outcome(fixture->batch, 1), WEIR_REJECT);
    assert_int_equal(test_batch_outcome(fixture->batch, 2), WEIR_OK);
    drain_pipe(fixture);
    assert_int_equal(fixture->size, 8);
    assert_memory_equal(fixture->text, "one\ntwo\n", 8);
}

static void a_slow_reader_never_blocks_and_gets_everything(void **state)
{
    struct fixture *const fixture = *state;
    struct weir_batch *const batch = large_batch(fixture);
    size_t open_before;

    assert_int_equal(write_batch(fixture, NULL), WEIR_OK);
    open_before = test_batch_open_count(batch);
    assert_in_range(open_before, 1, MESSAGES - 1);
    assert_int_equal(write_batch(fixture, NULL), WEIR_AGAIN); /* full */
    assert_int_equal(
        weir_stdout_sink.flush(fixture->self, clock_now_us(), NULL),
        WEIR_AGAIN);
    while (test_batch_open_count(batch) > 0) {
        /* What is confirmed is in the pipe, whole. */
        drain_pipe(fixture);
        assert_true(fixture->size >= (MESSAGES - test_batch_open_count(batch)) *
                                         (PAYLOAD_SIZE + 1));
        assert_int_equal(weir_stdout_sink.poll(fixture->self,
                                               clock_after_us(CLOCK_SECOND_US),
                                               NULL),
                         WEIR_OK);
    }
    drain_pipe(fixture);
    assert_int_equal(fixture->size, MESSAGES * (PAYLOAD_SIZE + 1));
    for (size_t i = 0; i < fixture->size; i++) {
        const size_t at = i % (PAYLOAD_SIZE + 1);

        assert_int_equal(
            fixture->text[i],
            at == PAYLOAD_SIZE ? '\n' : (char)('A' + i / (PAYLOAD_SIZE + 1)));
    }
}

static void a_wake_cuts_the_wait_for_a_reader_short(void **state)
{
    struct fixture *const fixture = *state;
    struct weir_batch *const batch = large_batch(fixture);
    size_t open_before;

    assert_int_equal(write_batch(fixture, NULL), WEIR_OK);
    open_before = test_batch_open_count(batch);
    weir_stdout_sink.wake(fixture->self);
    assert_int_equal(weir_stdout_sink.poll(fixture->self, CLOCK_NEVER_US, NULL),
                     WEIR_OK);
    assert_int_equal(test_batch_open_count(batch), open_before);
}

static void a_non_blocking_descriptor_is_waited_for_too(void **state)
{
    struct fixture *const fixture = *state;
    struct weir_batch *const batch = large_batch(fixture);

    assert_int_equal(fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(write_batch(fixture, NULL), WEIR_OK);
    while (test_batch_open_count(batch) > 0) {
        drain_pipe(fixture);
        assert_int_equal(weir_stdout_sink.poll(fixture->self,
                                               clock_after_us(CLOCK_SECOND_US),
                                               NULL),
                         WEIR_OK);
    }
    drain_pipe(fixture);
    assert_int_equal(fixture->size, MESSAGES * (PAYLOAD_SIZE + 1));
}

static void a_reader_that_has_gone_is_fatal_and_said(void **state)
{
    struct fixture *const fixture = *state;
    const char *const payloads[] = {"one", NULL};
    struct weir_error err = {0};

    fixture->batch = test_batch_of(payloads);
    close(fixture->reader);
    fixture->reader = -1;
    assert_int_equal(write_batch(fixture, &err), WEIR_FATAL);
    assert_string_equal(err.text, "stdout: its reader has gone");
    assert_int_equal(test_batch_open_count(fixture->batch), 1);
}

static void a_reader_that_goes_in_the_middle_leaves_the_rest_open(void **state)
{
    struct fixture *const fixture = *state;
    struct weir_batch *const batch = large_batch(fixture);
    size_t open_before;

    assert_int_equal(write_batch(fixture, NULL), WEIR_OK);
    open_before = test_batch_open_count(batch);
    close(fixture->reader);
    fixture->reader = -1;
    assert_int_equal(weir_stdout_sink.poll(
                         fixture->self, clock_after_us(CLOCK_SECOND_US), NULL),
                     WEIR_FATAL);
    assert_int_equal(test_batch_open_count(batch), open_before);
}

static void a_full_device_is_no_success(void **state)
{
    struct fixture *const fixture = *state;
    const char *const payloads[] = {"one", NULL};
    const int full = open("/dev/full", O_WRONLY);

    assert_true(full >= 0);
    assert_int_equal(dup2(full, STDOUT_FILENO), STDOUT_FILENO);
    close(full);
    fixture->batch = test_batch_of(payloads);
    assert_int_equal(write_batch(fixture, NULL), WEIR_FATAL);
    assert_int_equal(test_batch_open_count(fixture->batch), 1);
}

static void json_is_written_when_asked_for(void **state)
{
    struct fixture *const fixture = *state;
    const char *const payloads[] = {"x\ny", NULL};

    weir_stdout_sink.close(fixture->self, 0);
    test_settings_set(fixture->settings, "format", "json");
    assert_int_equal(
        weir_stdout_sink.open(fixture->self, fixture->settings, NULL), WEIR_OK);
    fixture->batch = test_batch_of(payloads);
    assert_int_equal(write_batch(fixture, NULL), WEIR_OK);
    assert_int_equal(test_batch_outcome(fixture->batch, 0), WEIR_OK);
    drain_pipe(fixture);
    fixture->text[fixture->size] = '\0';
    assert_non_null(strstr(fixture->text, "\"payload\":\"x\\ny\"}\n"));
}

static void more_than_one_worker_is_refused(void **state)
{
    struct fixture *const fixture = *state;

    test_settings_share(fixture->settings)->count = 2;
    weir_stdout_sink.check(fixture->settings);
    assert_non_null(
        strstr(test_settings_take_refusals(fixture->settings), "concurrency"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_small_batch_is_written_at_once),
        TEST(a_slow_reader_never_blocks_and_gets_everything),
        TEST(a_wake_cuts_the_wait_for_a_reader_short),
        TEST(a_non_blocking_descriptor_is_waited_for_too),
        TEST(a_reader_that_has_gone_is_fatal_and_said),
        TEST(a_reader_that_goes_in_the_middle_leaves_the_rest_open),
        TEST(a_full_device_is_no_success),
        TEST(json_is_written_when_asked_for),
        TEST(more_than_one_worker_is_refused),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as the command does */
    return cmocka_run_group_tests_name("stdout_sink", tests, NULL, NULL);
}
