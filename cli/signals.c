/*
 * signals.c - what SIGTERM, SIGINT and SIGHUP mean to a run.
 *
 * They are blocked in every thread and taken by one thread that waits for them,
 * so no code of ours runs inside a signal handler and nothing has to be global.
 * A blocked signal also reaches us as process 1 of a container, where the
 * kernel drops a signal without a handler.
 *
 *     SIGTERM, SIGINT   drain; the second one: default action, 128 + n
 *     SIGHUP            reads the topology again, where there is a file
 *     SIGPIPE           ignored: a write says EPIPE
 *     SIGRTMIN + 3      the thread it is sent to prints its stack
 *
 * A stack can only be printed by its own thread, hence the one real handler.
 * backtrace() allocates on its first call, so that call is made at the start.
 *
 * Threads: start and stop on the caller's; the waiting thread owns `count`.
 */
#include "signals.h"

#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

enum { STACK_DEPTH = 64 };

struct signals {
    pthread_t thread;
    sigset_t taken, before;
    struct signals_config config;
    unsigned count;
};

static int stack_signal(void)
{
    return SIGRTMIN + 3;
}

/* signals_stop() ends the waiting thread with it. */
static int stop_signal(void)
{
    return SIGRTMIN + 4;
}

static void print_stack(int number)
{
    void *frames[STACK_DEPTH];
    const int before = errno;
    const int depth = backtrace(frames, STACK_DEPTH);

    (void)number;
    backtrace_symbols_fd(frames, depth, STDERR_FILENO);
    errno = before;
}

/* As if it had never been caught; as process 1, where that does nothing, by
 * the exit code that a shell would show. */
static _Noreturn void end_at_once(int number)
{
    sigset_t only;

    (void)sigemptyset(&only);
    (void)sigaddset(&only, number);
    (void)signal(number, SIG_DFL);
    (void)pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    (void)raise(number);
    _exit(128 + number);
}

static void take(struct signals *signals, int number)
{
    const struct signals_config *config = &signals->config;

    if (number == SIGHUP && config->reload) {
        config->reload(config->reload_opaque);
        return;
    }
    if (number == SIGHUP) {
        log_write(WEIR_LOG_WARNING,
                  "SIGHUP is ignored: this topology is no file");
        return;
    }
    if (++signals->count > 1)
        end_at_once(number);
    log_write(WEIR_LOG_INFO, "%s: draining; a second one ends at once",
              number == SIGINT ? "SIGINT" : "SIGTERM");
    config->drain(config->drain_opaque);
}

static void *wait_for_signals(void *opaque)
{
    struct signals *signals = opaque;
    int number = 0;

    for (;;) {
        if (sigwait(&signals->taken, &number) != 0)
            continue;
        if (number == stop_signal())
            return NULL;
        take(signals, number);
    }
}

static void install(void)
{
    struct sigaction action = {.sa_handler = print_stack,
                               .sa_flags = SA_RESTART};
    void *frames[1];

    (void)backtrace(frames, 1);
    (void)sigaction(stack_signal(), &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

void signals_hold(void)
{
    sigset_t held;

    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &held, NULL);
}

enum weir_status signals_start(const struct signals_config *config,
                               struct signals **ret_signals,
                               struct weir_error *err)
{
    struct signals *signals = calloc(1, sizeof *signals);
    int rc;

    if (!signals)
        return weir_fail(err, WEIR_RETRY, "no memory");
    signals->config = *config;
    (void)sigemptyset(&signals->taken);
    (void)sigaddset(&signals->taken, SIGTERM);
    (void)sigaddset(&signals->taken, SIGINT);
    (void)sigaddset(&signals->taken, SIGHUP);
    (void)sigaddset(&signals->taken, stop_signal());
    (void)pthread_sigmask(SIG_BLOCK, &signals->taken, &signals->before);
    install();
    rc = pthread_create(&signals->thread, NULL, wait_for_signals, signals);
    if (rc != 0) {
        (void)pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
        free(signals);
        return weir_fail(err, WEIR_RETRY, "cannot start a thread: %s",
                         strerror(rc));
    }
    *ret_signals = signals;
    return WEIR_OK;
}

void signals_stop(struct signals *signals)
{
    if (!signals)
        return;
    (void)pthread_kill(signals->thread, stop_signal());
    (void)pthread_join(signals->thread, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
    free(signals);
}

void signals_show_stack(long tid)
{
    (void)tgkill(getpid(), (pid_t)tid, stack_signal());
}
