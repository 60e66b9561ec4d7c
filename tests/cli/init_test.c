/*
 * init_test.c - the first process of a container, without a container.
 *
 * A process that has made itself the reaper of its orphans stands for it; what
 * goes on behind init_stay_behind() is each test's own function.
 */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "init.h"

enum { READY = 'r', NOT_REAPED = 99, LOST_ITS_OWN = 98 };

/* Runs `child` behind a first process, which the caller has to wait for.
 * `ready` is what the child says something on. */
static pid_t start(int (*child)(int ready), int *ret_ready)
{
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int code;

        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
        code = init_stay_behind();
        _exit(code >= 0 ? code : child(ends[1]));
    }
    (void)close(ends[1]);
    *ret_ready = ends[0];
    return pid;
}

static void say_ready(int ready)
{
    const char word = READY;

    if (write(ready, &word, 1) != 1)
        abort();
}

static void await_ready(int ready)
{
    char word = 0;

    assert_int_equal(read(ready, &word, 1), 1);
    assert_int_equal(word, READY);
    (void)close(ready);
}

/* The exit code of the first process; that it is one is a part of each test. */
static int end_of(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int answer_seven(int ready)
{
    say_ready(ready);
    return 7;
}

static void its_exit_code_is_the_childs(void **state)
{
    int ready;
    const pid_t pid = start(answer_seven, &ready);

    (void)state;
    await_ready(ready);
    assert_int_equal(end_of(pid), 7);
}

static int wait_for_ever(int ready)
{
    say_ready(ready);
    while (pause() != 0)
        continue;
    return 0;
}

static void a_child_that_a_signal_ends_is_128_and_its_number(void **state)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGABRT};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int ready;
        const pid_t pid = start(wait_for_ever, &ready);

        await_ready(ready);
        assert_int_equal(kill(pid, numbers[i]), 0);
        assert_int_equal(end_of(pid), 128 + numbers[i]);
    }
}

static int take_a_signal(int ready)
{
    sigset_t taken;
    int number = 0;

    (void)sigemptyset(&taken);
    (void)sigaddset(&taken, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &taken, NULL);
    say_ready(ready);
    return sigwait(&taken, &number) == 0 && number == SIGTERM ? 3 : 4;
}

static void a_signal_is_for_the_child_to_take(void **state)
{
    int ready;
    const pid_t pid = start(take_a_signal, &ready);

    (void)state;
    await_ready(ready);
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(end_of(pid), 3);
}

/* The id of a grandchild that has ended, or is about to. */
static pid_t orphan(void)
{
    int ends[2];
    pid_t pid = 0;
    pid_t between;

    if (pipe(ends) != 0)
        abort();
    between = fork();
    if (between == 0) {
        pid = fork();
        if (pid != 0 && write(ends[1], &pid, sizeof pid) != sizeof pid)
            abort();
        _exit(0);
    }
    if (read(ends[0], &pid, sizeof pid) != sizeof pid ||
        waitpid(between, NULL, 0) != between)
        abort();
    return pid;
}

static int leave_an_orphan(int ready)
{
    const int64_t deadline_us = clock_now_us() + 60 * CLOCK_SECOND_US;
    const pid_t pid = orphan();

    (void)ready;
    /* A process that has ended and isn't reaped still takes a signal. */
    while (kill(pid, 0) == 0 || errno != ESRCH) {
        if (clock_now_us() > deadline_us)
            return NOT_REAPED;
        (void)usleep(1000);
    }
    return 0;
}

static void an_orphan_is_reaped(void **state)
{
    int ready;

    (void)state;
    assert_int_equal(end_of(start(leave_an_orphan, &ready)), 0);
    (void)close(ready);
}

static int wait_for_its_own(int ready)
{
    (void)ready;
    for (int i = 0; i < 20; i++)
        if (system("exit 3") != 3 << 8)
            return LOST_ITS_OWN;
    return 0;
}

static void the_childs_own_children_are_left_to_it(void **state)
{
    int ready;

    (void)state;
    assert_int_equal(end_of(start(wait_for_its_own, &ready)), 0);
    (void)close(ready);
}

static void children_that_were_ignored_before_are_waited_for(void **state)
{
    int ready;
    pid_t pid;

    (void)state;
    (void)signal(SIGCHLD, SIG_IGN);
    pid = start(answer_seven, &ready);
    (void)signal(SIGCHLD, SIG_DFL);
    await_ready(ready);
    assert_int_equal(end_of(pid), 7);
}

static void an_ordinary_process_needs_none(void **state)
{
    (void)state;
    assert_false(init_is_needed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ALONE(its_exit_code_is_the_childs),
        TEST_ALONE(a_child_that_a_signal_ends_is_128_and_its_number),
        TEST_ALONE(a_signal_is_for_the_child_to_take),
        TEST_ALONE(an_orphan_is_reaped),
        TEST_ALONE(the_childs_own_children_are_left_to_it),
        TEST_ALONE(children_that_were_ignored_before_are_waited_for),
        TEST_ALONE(an_ordinary_process_needs_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
