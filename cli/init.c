/*
 * init.c - the first process of a container, for images without another one.
 *
 * To the kernel process 1 is special in three ways: it inherits every orphan
 * of its namespace and must reap it; a signal that it neither handles nor
 * blocks does nothing, so a crash has no number and a second SIGTERM no effect;
 * and when it ends, everything does.  A run can't reap by waiting for any
 * child: a handler's own system() or popen() would lose theirs.  So the run is
 * a child, and what stays behind does nothing else:
 *
 *     SIGTERM --> process 1 ----------> weir run ...
 *                   |  ^                    |
 *                   |  +---- exit code -----+
 *                   +--- reaps orphans
 *
 * Both stay in one process group, to which a terminal sends by itself: what
 * comes from the kernel has reached the child and isn't passed on.
 *
 * Why not an init from a package: this image would need it, and every image
 * that people make from it.  Elsewhere (a shell, systemd, a pod that shares its
 * process namespace) we are not process 1, and nothing of this happens.
 *
 * Threads: none yet; that is why fork() is allowed.
 */
#include "init.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_BY_SIGNAL = 128 };

bool init_is_needed(void)
{
    return getpid() == 1;
}

static int exit_code(int status)
{
    return WIFSIGNALED(status) ? EXIT_BY_SIGNAL + WTERMSIG(status)
                               : WEXITSTATUS(status);
}

/* Takes all that has ended; true: the child is among it. */
static bool reap(pid_t child, int *ret_status)
{
    bool has_ended = false;

    for (;;) {
        int status = 0;
        const pid_t pid = waitpid(-1, &status, WNOHANG);

        if (pid <= 0)
            return has_ended;
        if (pid == child) {
            *ret_status = status;
            has_ended = true;
        }
    }
}

static int stay(pid_t child, const sigset_t *all)
{
    int status = 0;

    for (;;) {
        siginfo_t info = {0};
        const int number = sigwaitinfo(all, &info);

        if (number == SIGCHLD && reap(child, &status))
            return exit_code(status);
        if (number > 0 && number != SIGCHLD && info.si_code <= 0)
            (void)kill(child, number); /* a process sent it, not the kernel */
    }
}

int init_stay_behind(void)
{
    sigset_t all, before;
    pid_t child;

    /* Blocked before there is a child, so that nothing is lost between; and
     * ignored, a child that ends would be none of ours. */
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    (void)signal(SIGCHLD, SIG_DFL);
    child = fork();
    if (child > 0)
        return stay(child, &all);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return -1;
}
