/*
 * crash.c - notes in the journal that the process goes down.
 *
 * Signals that a program brings on itself, and exit() called by a handler.
 * SIGKILL, which is also how the kernel ends a process that uses too much
 * memory, can't be caught, and so accuses nobody.
 *
 * Threads: the one that goes down; journal_crash() finds out whose it is.
 */
#include "crash.h"

#include <signal.h>
#include <stdlib.h>

#include "journal.h"

static void mark(int number, siginfo_t *info, void *context)
{
    (void)context;
    journal_crash(number);
    /* A fault happens again on return, now by default, so that a core file
     * shows where; what was sent to us doesn't. */
    if (info->si_code <= 0)
        (void)raise(number);
}

static void mark_exit(void)
{
    journal_crash(0);
}

void crash_watch(void)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL,
                                SIGABRT, SIGSYS, SIGTRAP};
    const struct sigaction action = {.sa_sigaction = mark,
                                     .sa_flags = SA_SIGINFO | SA_ONSTACK |
                                                 SA_NODEFER | SA_RESETHAND};

    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        (void)sigaction(fatal[i], &action, NULL);
    (void)atexit(mark_exit);
}
