/*
 * journal_test.c - who is suspected after a crash, and what clears them.
 *
 * A process that goes down is played by a child that does.
 */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal.h"
#include "log.h"

enum {
    MAX_CRASHES = 3,
    BAD = 7000,
    OTHER = 8000,
    NOBODY = 65534,
    MANY = 4096, /* as many as are remembered */
    MANY_FIRST = 10000
};

struct place {
    char folder[64], file[96];
};

static void quiet(void *opaque, enum weir_log_level level, const char *text)
{
    (void)opaque;
    (void)level;
    (void)text;
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    log_set_callback(quiet, NULL);
    (void)snprintf(place->folder, sizeof place->folder, "journal-XXXXXX");
    if (!mkdtemp(place->folder))
        return -1;
    (void)snprintf(place->file, sizeof place->file, "%s/journal",
                   place->folder);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;

    (void)chmod(place->folder, 0700);
    (void)unlink(place->file);
    (void)rmdir(place->folder);
    free(place);
    return 0;
}

static enum weir_status try_open(const struct place *place, const char *name,
                                 struct journal **ret_journal,
                                 struct weir_error *err)
{
    const struct journal_config config = {
        .folder = place->folder, .pipeline = name, .max_crashes = MAX_CRASHES};

    return journal_open(&config, ret_journal, err);
}

static struct journal *open_one(const struct place *place)
{
    struct journal *journal = NULL;
    struct weir_error err = {0};

    if (try_open(place, "orders", &journal, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    return journal;
}

static enum journal_verdict judge(struct journal *journal, uint64_t id)
{
    unsigned crashes;

    return journal_judge(journal, id, &crashes);
}

/* In a child: does what `work` says and goes down, marking the journal, as the
 * command's signal handler does, unless it was killed. */
static void go_down(const struct place *place, bool is_marked,
                    void (*work)(struct journal *journal))
{
    const pid_t child = fork();
    int how = 0;

    assert_true(child >= 0);
    if (child == 0) {
        struct journal *journal = open_one(place);

        if (journal_attach(journal, 1) != WEIR_OK)
            _exit(1);
        work(journal);
        if (is_marked)
            journal_crash(SIGSEGV);
        (void)raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

static void handle_bad_beside_another(struct journal *journal)
{
    journal_enter(journal, 1, 0, BAD);
    journal_enter(journal, 2, 0, OTHER);
}

static void handle_bad_alone(struct journal *journal)
{
    journal_isolate(journal, 1);
    journal_enter(journal, 1, 0, BAD);
}

static void handle_nothing(struct journal *journal)
{
    journal_enter(journal, 1, 0, BAD);
    journal_leave(journal, 1, 1);
}

static void prepare_three(struct journal *journal)
{
    journal_enter(journal, 1, 0, BAD);
    journal_enter(journal, 1, 1, BAD + 1);
    journal_enter(journal, 1, 2, BAD + 2);
}

static void handle_many(struct journal *journal)
{
    for (unsigned i = 0; i < MANY; i++)
        journal_enter(journal, 1, i, MANY_FIRST + i);
}

static void handle_many_and_leave(struct journal *journal)
{
    handle_many(journal);
    journal_leave(journal, 1, MANY / JOURNAL_AT_ONCE);
}

static void a_new_journal_suspects_nobody(void **state)
{
    struct journal *journal = open_one(*state);

    assert_false(journal_has_suspects(journal));
    assert_int_equal(judge(journal, BAD), JOURNAL_INNOCENT);
    journal_close(journal);
}

static void whoever_was_in_native_code_at_a_crash_is_suspected(void **state)
{
    struct journal *journal;

    go_down(*state, true, handle_bad_beside_another);
    journal = open_one(*state);
    assert_true(journal_has_suspects(journal));
    assert_int_equal(judge(journal, BAD), JOURNAL_SUSPECT);
    assert_int_equal(judge(journal, OTHER), JOURNAL_SUSPECT);
    assert_int_equal(judge(journal, 1), JOURNAL_INNOCENT);
    journal_close(journal);
}

static void all_that_are_prepared_together_are_suspected(void **state)
{
    struct journal *journal;

    go_down(*state, true, prepare_three);
    journal = open_one(*state);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(judge(journal, BAD + i), JOURNAL_SUSPECT);
    journal_close(journal);
}

static void a_killed_process_accuses_nobody(void **state)
{
    struct journal *journal;

    go_down(*state, false, handle_bad_beside_another);
    journal = open_one(*state);
    assert_false(journal_has_suspects(journal));
    journal_close(journal);
}

static void a_message_that_has_been_handled_is_not_suspected(void **state)
{
    struct journal *journal;

    go_down(*state, true, handle_nothing);
    journal = open_one(*state);
    assert_false(journal_has_suspects(journal));
    journal_close(journal);
}

static void a_suspect_that_comes_back_is_acquitted(void **state)
{
    struct journal *journal;

    go_down(*state, true, handle_bad_beside_another);
    journal = open_one(*state);
    journal_isolate(journal, 0);
    journal_acquit(journal, OTHER);
    assert_int_equal(judge(journal, OTHER), JOURNAL_INNOCENT);
    assert_int_equal(judge(journal, BAD), JOURNAL_SUSPECT);
    journal_close(journal);
}

static void only_crashes_while_alone_condemn(void **state)
{
    struct journal *journal;

    for (int i = 0; i < 5; i++)
        go_down(*state, true, handle_bad_beside_another);
    for (int i = 0; i < MAX_CRASHES - 1; i++)
        go_down(*state, true, handle_bad_alone);
    journal = open_one(*state);
    assert_int_equal(judge(journal, BAD), JOURNAL_SUSPECT);
    journal_close(journal);

    go_down(*state, true, handle_bad_alone);
    journal = open_one(*state);
    assert_int_equal(judge(journal, BAD), JOURNAL_CONDEMNED);
    assert_int_equal(judge(journal, OTHER), JOURNAL_SUSPECT);
    journal_close(journal);
}

static void being_killed_while_alone_does_not_count(void **state)
{
    struct journal *journal;

    go_down(*state, true, handle_bad_beside_another);
    for (int i = 0; i < 2 * MAX_CRASHES; i++)
        go_down(*state, false, handle_bad_alone);
    journal = open_one(*state);
    assert_int_equal(judge(journal, BAD), JOURNAL_SUSPECT);
    journal_close(journal);
}

static void the_condemned_stay_so_in_later_runs(void **state)
{
    struct journal *journal;

    for (int i = 0; i <= MAX_CRASHES; i++)
        go_down(*state, true, handle_bad_alone);
    for (int i = 0; i < 3; i++) {
        journal = open_one(*state);
        assert_int_equal(judge(journal, BAD), JOURNAL_CONDEMNED);
        journal_close(journal);
    }
}

static void suspects_are_bounded_and_the_oldest_goes(void **state)
{
    struct journal *journal;

    go_down(*state, true, handle_bad_beside_another);
    go_down(*state, true, handle_many);
    journal = open_one(*state);
    assert_int_equal(judge(journal, BAD), JOURNAL_INNOCENT);
    assert_int_equal(judge(journal, MANY_FIRST), JOURNAL_SUSPECT);
    assert_int_equal(judge(journal, MANY_FIRST + MANY - 1), JOURNAL_SUSPECT);
    journal_close(journal);
}

static void a_large_batch_has_several_places(void **state)
{
    struct journal *journal;

    go_down(*state, true, handle_many);
    journal = open_one(*state);
    for (uint64_t i = 0; i < MANY; i++)
        assert_int_equal(judge(journal, MANY_FIRST + i), JOURNAL_SUSPECT);
    journal_close(journal);

    go_down(*state, true, handle_many_and_leave);
    journal = open_one(*state);
    journal_isolate(journal, 1);
    journal_acquit(journal, MANY_FIRST);
    assert_int_equal(judge(journal, MANY_FIRST), JOURNAL_INNOCENT);
    journal_close(journal);
    go_down(*state, true, handle_many_and_leave);
    journal = open_one(*state);
    assert_int_equal(judge(journal, MANY_FIRST), JOURNAL_INNOCENT);
    journal_close(journal);
}

/* ---- folders that can't be used ---- */

static void assert_refused(const struct place *place, const char *name,
                           const char *why)
{
    struct journal *journal = NULL;
    struct weir_error err = {0};

    assert_int_equal(try_open(place, name, &journal, &err), WEIR_REJECT);
    if (!strstr(err.text, why))
        fail_msg("no '%s' in '%s'", why, err.text);
}

static void a_folder_has_one_process(void **state)
{
    struct journal *journal = open_one(*state);

    assert_refused(*state, "orders", "is in use by another process");
    journal_close(journal);
    journal_close(open_one(*state));
}

static void a_folder_has_one_pipeline(void **state)
{
    journal_close(open_one(*state));
    assert_refused(*state, "payments", "belongs to the pipeline 'orders'");
}

static void a_file_that_is_no_journal_is_left_alone(void **state)
{
    const struct place *place = *state;
    struct stat info;
    const int file = open(place->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(write(file, "mine", 4), 4);
    (void)close(file);
    assert_refused(place, "orders", "is no journal");
    assert_int_equal(stat(place->file, &info), 0);
    assert_int_equal(info.st_size, 4);
}

static void a_journal_of_another_version_is_left_alone(void **state)
{
    const struct place *place = *state;
    int file;

    journal_close(open_one(place));
    file = open(place->file, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(file, "9", 1, 7), 1);
    (void)close(file);
    assert_refused(place, "orders", "is no journal of this version");
}

static void a_full_disk_is_met_at_the_start(void **state)
{
    const struct rlimit none = {.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};
    struct rlimit before;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_refused(*state, "orders", "cannot make room in");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    journal_close(open_one(*state));
}

/* Nobody but root may write where it may not: a child is somebody else. */
static void a_folder_that_is_read_only_is_refused(void **state)
{
    const struct place *place = *state;
    const pid_t child = fork();
    int how = 0;

    assert_true(child >= 0);
    if (child == 0) {
        struct journal *journal = NULL;
        struct weir_error err = {0};
        enum weir_status status;

        if (chmod(place->folder, 0555) != 0 ||
            (geteuid() == 0 && setuid(NOBODY) != 0))
            _exit(2);
        status = try_open(place, "orders", &journal, &err);
        _exit(status == WEIR_REJECT && strstr(err.text, "cannot open") &&
                      strstr(err.text, "Permission denied")
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

static void a_folder_that_is_a_file_is_refused(void **state)
{
    struct place wrong = {.folder = "/dev/null"};

    (void)state;
    assert_refused(&wrong, "orders", "cannot open");
    (void)snprintf(wrong.folder, sizeof wrong.folder, "/nowhere/at/all");
    assert_refused(&wrong, "orders", "cannot make the folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_journal_suspects_nobody),
        TEST(whoever_was_in_native_code_at_a_crash_is_suspected),
        TEST(all_that_are_prepared_together_are_suspected),
        TEST(a_killed_process_accuses_nobody),
        TEST(a_message_that_has_been_handled_is_not_suspected),
        TEST(a_suspect_that_comes_back_is_acquitted),
        TEST(only_crashes_while_alone_condemn),
        TEST(being_killed_while_alone_does_not_count),
        TEST(the_condemned_stay_so_in_later_runs),
        TEST(a_large_batch_has_several_places),
        TEST(suspects_are_bounded_and_the_oldest_goes),
        TEST(a_folder_has_one_process),
        TEST(a_folder_has_one_pipeline),
        TEST(a_file_that_is_no_journal_is_left_alone),
        TEST(a_journal_of_another_version_is_left_alone),
        TEST(a_full_disk_is_met_at_the_start),
        TEST(a_folder_that_is_read_only_is_refused),
        TEST(a_folder_that_is_a_file_is_refused),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
