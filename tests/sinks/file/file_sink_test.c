/*
 * file_sink_test.c - what is in the file when things go wrong.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file_sink.h"
#include "log.h"
#include "test_batch.h"
#include "test_settings.h"

enum { PATH_SIZE = 128, LINE_SIZE = 400, FILE_SIZE = 64 * 1024 };

struct fixture {
    char folder[PATH_SIZE], path[PATH_SIZE + 16], log[LINE_SIZE];
    struct weir_settings *settings;
    void *self;
    struct weir_batch *batch;
    struct weir_error err;
};

/* What the kernel is made to answer; -1: what it says itself. */
static struct {
    ssize_t short_write; /* bytes that the next write() takes */
    int write_errno, truncate_errno, sync_errno;
    unsigned syncs;
} kernel;

ssize_t __real_write(int fd, const void *data, size_t size);
int __real_ftruncate(int fd, off_t size);
int __real_fdatasync(int fd);
ssize_t __wrap_write(int fd, const void *data, size_t size);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_fdatasync(int fd);

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    const ssize_t taken = kernel.short_write;

    if (taken >= 0) {
        kernel.short_write = -1;
        return __real_write(fd, data, (size_t)taken);
    }
    if (kernel.write_errno == 0)
        return __real_write(fd, data, size);
    errno = kernel.write_errno;
    return -1;
}

int __wrap_ftruncate(int fd, off_t size)
{
    if (kernel.truncate_errno == 0)
        return __real_ftruncate(fd, size);
    errno = kernel.truncate_errno;
    return -1;
}

int __wrap_fdatasync(int fd)
{
    kernel.syncs++;
    if (kernel.sync_errno == 0)
        return __real_fdatasync(fd);
    errno = kernel.sync_errno;
    return -1;
}

static void keep_log(void *opaque, enum weir_log_level level, const char *line)
{
    struct fixture *const fixture = opaque;

    (void)level;
    (void)snprintf(fixture->log, sizeof fixture->log, "%s", line);
}

static int setup(void **state)
{
    struct fixture *const fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    memset(&kernel, 0, sizeof kernel);
    kernel.short_write = -1;
    strcpy(fixture->folder, "/tmp/weir_file_XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/out.txt",
                   fixture->folder);
    fixture->settings = test_settings_create(weir_file_sink.options);
    test_settings_set(fixture->settings, "path", fixture->path);
    fixture->self = calloc(1, weir_file_sink.self_size);
    assert_non_null(fixture->self);
    log_set_callback(keep_log, fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *const fixture = *state;

    weir_file_sink.close(fixture->self, 0);
    log_set_callback(NULL, NULL);
    (void)unlink(fixture->path);
    assert_int_equal(rmdir(fixture->folder), 0);
    test_batch_destroy(fixture->batch);
    test_settings_destroy(fixture->settings);
    free(fixture->self);
    free(fixture);
    return 0;
}

static enum weir_status open_sink(struct fixture *fixture)
{
    return weir_file_sink.open(fixture->self, fixture->settings, &fixture->err);
}

static void reopen(struct fixture *fixture)
{
    weir_file_sink.close(fixture->self, 0);
    assert_int_equal(open_sink(fixture), WEIR_OK);
}

/* Writes a new batch. */
static enum weir_status write_payloads(struct fixture *fixture,
                                       const char *const *payloads)
{
    test_batch_destroy(fixture->batch);
    fixture->batch = test_batch_of(payloads);
    return weir_file_sink.write(fixture->self, fixture->batch, &fixture->err);
}

static void put_file(const struct fixture *fixture, const char *text)
{
    FILE *const file = fopen(fixture->path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_file(const struct fixture *fixture, const char *expected)
{
    static char text[FILE_SIZE];
    FILE *const file = fopen(fixture->path, "r");
    size_t size;

    assert_non_null(file);
    size = fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    (void)fclose(file);
    assert_string_equal(text, expected);
}

static const char *const one_two[] = {"one", "two", NULL};
static const char *const three[] = {"three", NULL};

static void batches_are_appended_and_confirmed(void **state)
{
    struct fixture *const fixture = *state;

    put_file(fixture, "old\n");
    assert_int_equal(open_sink(fixture), WEIR_OK);
    assert_int_equal(write_payloads(fixture, one_two), WEIR_OK);
    assert_int_equal(test_batch_outcome(fixture->batch, 0), WEIR_OK);
    assert_int_equal(test_batch_outcome(fixture->batch, 1), WEIR_OK);
    assert_int_equal(write_payloads(fixture, three), WEIR_OK);
    assert_file(fixture, "old\none\ntwo\nthree\n");
    assert_int_equal(kernel.syncs, 2);
}

static void without_fsync_the_kernel_is_believed(void **state)
{
    struct fixture *const fixture = *state;

    test_settings_set(fixture->settings, "fsync", "never");
    assert_int_equal(open_sink(fixture), WEIR_OK);
    assert_int_equal(write_payloads(fixture, three), WEIR_OK);
    assert_int_equal(kernel.syncs, 0);
}

static void a_short_write_is_cut_back_and_tried_again(void **state)
{
    struct fixture *const fixture = *state;

    assert_int_equal(open_sink(fixture), WEIR_OK);
    assert_int_equal(write_payloads(fixture, three), WEIR_OK);
    kernel.short_write = 6; /* "one\ntw" */
    assert_int_equal(write_payloads(fixture, one_two), WEIR_RETRY);
    assert_int_equal(test_batch_open_count(fixture->batch), 2);
    assert_file(fixture, "three\n");
    reopen(fixture);
    assert_int_equal(weir_file_sink.write(fixture->self, fixture->batch, NULL),
                     WEIR_OK);
    assert_file(fixture, "three\none\ntwo\n");
}

static void a_full_disk_is_transient(void **state)
{
    struct fixture *const fixture = *state;

    assert_int_equal(open_sink(fixture), WEIR_OK);
    kernel.write_errno = ENOSPC;
    assert_int_equal(write_payloads(fixture, one_two), WEIR_RETRY);
    assert_non_null(strstr(fixture->err.text, strerror(ENOSPC)));
    assert_int_equal(test_batch_open_count(fixture->batch), 2);
    kernel.write_errno = 0;
    reopen(fixture);
    assert_int_equal(weir_file_sink.write(fixture->self, fixture->batch, NULL),
                     WEIR_OK);
    assert_file(fixture, "one\ntwo\n");
}

static void what_was_not_synced_is_written_anew(void **state)
{
    struct fixture *const fixture = *state;

    assert_int_equal(open_sink(fixture), WEIR_OK);
    kernel.sync_errno = EIO;
    assert_int_equal(write_payloads(fixture, one_two), WEIR_RETRY);
    assert_int_equal(test_batch_open_count(fixture->batch), 2);
    assert_file(fixture, "");
}

static void a_cut_that_failed_is_made_at_the_next_open(void **state)
{
    struct fixture *const fixture = *state;

    assert_int_equal(open_sink(fixture), WEIR_OK);
    assert_int_equal(write_payloads(fixture, three), WEIR_OK);
    kernel.short_write = 6;
    kernel.truncate_errno = EIO;
    assert_int_equal(write_payloads(fixture, one_two), WEIR_RETRY);
    assert_file(fixture, "three\none\ntw");
    weir_file_sink.close(fixture->self, 0);
    assert_int_equal(open_sink(fixture), WEIR_RETRY);
    kernel.truncate_errno = 0;
    reopen(fixture);
    /* "one" is whole, but was never confirmed and will be written again. */
    assert_file(fixture, "three\n");
}

static void a_torn_line_is_cut_off_and_said(void **state)
{
    struct fixture *const fixture = *state;

    put_file(fixture, "whole\ntorn secret");
    assert_int_equal(open_sink(fixture), WEIR_OK);
    assert_file(fixture, "whole\n");
    assert_non_null(strstr(fixture->log, " 11 bytes"));
    assert_null(strstr(fixture->log, "secret"));
}

static void a_file_without_any_newline_is_emptied(void **state)
{
    struct fixture *const fixture = *state;
    char text[40001];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    put_file(fixture, text);
    assert_int_equal(open_sink(fixture), WEIR_OK);
    assert_file(fixture, "");
}

static void a_torn_line_longer_than_a_block_is_cut_off(void **state)
{
    struct fixture *const fixture = *state;
    char text[40001];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[10] = '\n';
    put_file(fixture, text);
    assert_int_equal(open_sink(fixture), WEIR_OK);
    assert_file(fixture, "xxxxxxxxxx\n");
}

static void a_second_writer_is_refused_in_this_process(void **state)
{
    struct fixture *const fixture = *state;
    void *const other = calloc(1, weir_file_sink.self_size);
    struct weir_error err = {0};

    assert_int_equal(open_sink(fixture), WEIR_OK);
    assert_int_equal(weir_file_sink.open(other, fixture->settings, &err),
                     WEIR_RETRY);
    assert_non_null(strstr(err.text, "another writer"));
    assert_non_null(strstr(err.text, fixture->path));
    weir_file_sink.close(other, 0);
    weir_file_sink.close(fixture->self, 0);
    assert_int_equal(weir_file_sink.open(other, fixture->settings, &err),
                     WEIR_OK);
    weir_file_sink.close(other, 0);
    free(other);
}

static void a_second_writer_is_refused_in_another_process(void **state)
{
    struct fixture *const fixture = *state;
    int status;
    pid_t child;

    assert_int_equal(open_sink(fixture), WEIR_OK);
    child = fork();
    if (child == 0) {
        void *const other = calloc(1, weir_file_sink.self_size);

        _exit((int)weir_file_sink.open(other, fixture->settings, NULL));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), WEIR_RETRY);
}

static void a_file_that_was_moved_away_is_made_anew(void **state)
{
    struct fixture *const fixture = *state;

    assert_int_equal(open_sink(fixture), WEIR_OK);
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(write_payloads(fixture, three), WEIR_RETRY);
    assert_int_equal(test_batch_open_count(fixture->batch), 1);
    reopen(fixture);
    assert_int_equal(weir_file_sink.write(fixture->self, fixture->batch, NULL),
                     WEIR_OK);
    assert_file(fixture, "three\n");
}

static void a_folder_that_went_away_is_waited_for(void **state)
{
    struct fixture *const fixture = *state;

    assert_int_equal(rmdir(fixture->folder), 0);
    assert_int_equal(open_sink(fixture), WEIR_RETRY);
    assert_non_null(strstr(fixture->err.text, fixture->path));
    assert_int_equal(mkdir(fixture->folder, 0700), 0);
    assert_int_equal(open_sink(fixture), WEIR_OK);
}

static void a_batch_of_refused_payloads_writes_nothing(void **state)
{
    struct fixture *const fixture = *state;
    const char *const payloads[] = {"a\nb", NULL};

    assert_int_equal(open_sink(fixture), WEIR_OK);
    assert_int_equal(write_payloads(fixture, payloads), WEIR_OK);
    assert_int_equal(test_batch_outcome(fixture->batch, 0), WEIR_REJECT);
    assert_file(fixture, "");
}

static void json_has_the_metadata(void **state)
{
    struct fixture *const fixture = *state;

    test_settings_set(fixture->settings, "format", "json");
    assert_int_equal(open_sink(fixture), WEIR_OK);
    assert_int_equal(write_payloads(fixture, three), WEIR_OK);
    assert_file(fixture, "{\"topic\":\"t\",\"partition\":0,\"offset\":0,"
                         "\"timestamp\":0,\"key\":null,\"headers\":[],"
                         "\"batch_key\":null,\"payload\":\"three\"}\n");
}

static void assert_refused(struct fixture *fixture, const char *path,
                           const char *why)
{
    const char *refusals;

    test_settings_set(fixture->settings, "path", path);
    weir_file_sink.check(fixture->settings);
    refusals = test_settings_take_refusals(fixture->settings);
    assert_memory_equal(refusals, "path: ", 6);
    assert_non_null(strstr(refusals, why));
}

static void what_can_be_no_output_file_is_refused(void **state)
{
    struct fixture *const fixture = *state;

    weir_file_sink.check(fixture->settings);
    assert_string_equal(test_settings_take_refusals(fixture->settings), "");
    assert_refused(fixture, "/no/such/folder/out.txt", "/no/such/folder");
    assert_refused(fixture, fixture->folder, "not a regular file");
    assert_refused(fixture, "/dev/null", "not a regular file");
    put_file(fixture, "");
    assert_refused(fixture, "/dev/null/out.txt", "isn't there");
    test_settings_set(fixture->settings, "path", fixture->path);
    weir_file_sink.check(fixture->settings);
    assert_string_equal(test_settings_take_refusals(fixture->settings), "");
}

static void more_than_one_worker_is_refused(void **state)
{
    struct fixture *const fixture = *state;

    test_settings_share(fixture->settings)->count = 2;
    weir_file_sink.check(fixture->settings);
    assert_non_null(
        strstr(test_settings_take_refusals(fixture->settings), "concurrency"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(batches_are_appended_and_confirmed),
        TEST(without_fsync_the_kernel_is_believed),
        TEST(a_short_write_is_cut_back_and_tried_again),
        TEST(a_full_disk_is_transient),
        TEST(what_was_not_synced_is_written_anew),
        TEST(a_cut_that_failed_is_made_at_the_next_open),
        TEST(a_torn_line_is_cut_off_and_said),
        TEST(a_file_without_any_newline_is_emptied),
        TEST(a_torn_line_longer_than_a_block_is_cut_off),
        TEST(a_second_writer_is_refused_in_this_process),
        TEST(a_second_writer_is_refused_in_another_process),
        TEST(a_file_that_was_moved_away_is_made_anew),
        TEST(a_folder_that_went_away_is_waited_for),
        TEST(a_batch_of_refused_payloads_writes_nothing),
        TEST(json_has_the_metadata),
        TEST(what_can_be_no_output_file_is_refused),
        TEST(more_than_one_worker_is_refused),
    };

    return cmocka_run_group_tests_name("file_sink", tests, NULL, NULL);
}
