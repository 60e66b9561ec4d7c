/*
 * core_files.c - a process that holds secrets leaves no copy of its memory.
 *
 * The limit alone isn't enough: where the kernel hands a core to a program, it
 * is not asked.  That the process isn't dumpable also keeps debuggers of the
 * same user away, so it ends when the secrets are gone.
 *
 * Threads: one, before others start and after they ended; forbid() on any.
 */
#include "core_files.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void core_files_forbid(void)
{
    struct rlimit limit;

    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (getrlimit(RLIMIT_CORE, &limit) != 0)
        return;
    limit.rlim_cur = 0; /* the hard limit stays: it can't be raised again */
    (void)setrlimit(RLIMIT_CORE, &limit);
}

void core_files_allow(void)
{
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

bool core_files_are_allowed(void)
{
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
}
