/*
 * machine.c - what this process may use of the machine.
 *
 * Version 2 of cgroups has one tree, with a limit (or "max") at each level;
 * version 1 has one for memory, whose "no limit" is a number near 2^63.  In a
 * container the process's own path may not be mounted, so every level up to
 * the mount is asked, and the smallest answer counts.
 *
 *     /proc/self/cgroup   0::/system.slice/weir.service
 *     /sys/fs/cgroup/system.slice/weir.service/memory.max   max
 *     /sys/fs/cgroup/system.slice/memory.max                1073741824
 *     /sys/fs/cgroup/memory.max                             (none)
 *
 * Threads: none; the loader's.
 */
#include "machine.h"

#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static const uint64_t no_limit = UINT64_MAX;

static uint64_t limit_in_file(const char *path)
{
    FILE *file = fopen(path, "re");
    uint64_t limit;
    int n;

    if (!file)
        return no_limit;
    n = fscanf(file, "%" SCNu64, &limit);
    (void)fclose(file);
    return n == 1 && limit < (UINT64_C(1) << 60) ? limit : no_limit;
}

/* The smallest limit of `group` and what is above it. */
static uint64_t limit_of_group(const char *mount, char *group, const char *file)
{
    uint64_t least = no_limit;

    for (;;) {
        char path[3 * PATH_MAX];
        char *slash = strrchr(group, '/');
        uint64_t limit;

        (void)snprintf(path, sizeof path, "%s%s/%s", mount,
                       strcmp(group, "/") == 0 ? "" : group, file);
        limit = limit_in_file(path);
        least = limit < least ? limit : least;
        if (!slash)
            return least;
        *slash = '\0';
    }
}

/* One line of /proc/self/cgroup: "0::/path" or "9:memory:/path". */
static uint64_t limit_of_line(const char *root, char *line)
{
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    char mount[PATH_MAX];

    if (!group)
        return no_limit;
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (strcmp(controllers, ":") == 0) {
        (void)snprintf(mount, sizeof mount, "%s/sys/fs/cgroup", root);
        return limit_of_group(mount, group, "memory.max");
    }
    if (strstr(controllers, "memory")) {
        (void)snprintf(mount, sizeof mount, "%s/sys/fs/cgroup/memory", root);
        return limit_of_group(mount, group, "memory.limit_in_bytes");
    }
    return no_limit;
}

size_t machine_memory_limit(const char *root)
{
    uint64_t least = no_limit;
    char line[PATH_MAX];
    FILE *file;

    (void)snprintf(line, sizeof line, "%s/proc/self/cgroup", root);
    file = fopen(line, "re");
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file)) {
        const uint64_t limit = limit_of_line(root, line);

        least = limit < least ? limit : least;
    }
    (void)fclose(file);
    return least == no_limit ? 0 : (size_t)least;
}

size_t machine_memory(const char *root)
{
    const size_t without_limit = (size_t)256 * 1024 * 1024;
    const size_t limit = machine_memory_limit(root);

    return limit == 0 ? without_limit : limit / 2;
}

unsigned machine_cores(void)
{
    cpu_set_t cores;
    int count = 0;

    if (sched_getaffinity(0, sizeof cores, &cores) == 0)
        count = CPU_COUNT(&cores);
    return count > 0 ? (unsigned)count : 1;
}
