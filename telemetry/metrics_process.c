/*
 * metrics_process.c - the part of the metrics that is about the process.
 *
 * By the names that every exporter uses, so that dashboards know them.
 *
 * Threads: any.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "teller.h"

static const struct metric cpu = {
    "process_cpu_seconds_total", METRIC_COUNTER,
    "Time that the process used, of its own and of the system."};
static const struct metric resident = {"process_resident_memory_bytes",
                                       METRIC_GAUGE,
                                       "Resident memory of the process."};
static const struct metric started = {
    "process_start_time_seconds", METRIC_GAUGE,
    "When the process began, in seconds since 1970."};

static double seconds(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

/* -1: nobody says. */
static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long long pages = 0;
    int count = 0;

    if (file) {
        count = fscanf(file, "%*s %llu", &pages);
        (void)fclose(file);
    }
    return count == 1 ? (double)pages * (double)sysconf(_SC_PAGESIZE) : -1;
}

/* In seconds after the machine's own start; -1: nobody says. */
static double started_after_boot(void)
{
    FILE *file = fopen("/proc/self/stat", "re");
    unsigned long long ticks = 0;
    const char *name_end;
    char line[1024] = "";
    size_t size = 0;

    if (file) {
        size = fread(line, 1, sizeof line - 1, file);
        (void)fclose(file);
    }
    line[size] = '\0';
    name_end = strrchr(line, ')'); /* a name may have anything in it */
    if (!name_end || sscanf(name_end + 1,
                            " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                            "%*s %*s %*s %*s %*s %*s %*s %llu",
                            &ticks) != 1)
        return -1;
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

/* When the machine started, in seconds since 1970; -1: nobody says.  Not now
 * less the time since then, which is another number each time, and whoever
 * counts starts counts its changes. */
static double booted(void)
{
    FILE *file = fopen("/proc/stat", "re");
    unsigned long long since = 0;
    char line[256];

    while (file && since == 0 && fgets(line, sizeof line, file))
        (void)sscanf(line, "btime %llu", &since);
    if (file)
        (void)fclose(file);
    return since > 0 ? (double)since : -1;
}

void metrics_process(const struct teller *teller)
{
    const double memory = resident_bytes(), since = started_after_boot();
    const double boot = booted();
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    teller_number(teller, &cpu, NULL,
                  seconds(&usage.ru_utime) + seconds(&usage.ru_stime));
    if (memory >= 0)
        teller_number(teller, &resident, NULL, memory);
    if (since >= 0 && boot >= 0)
        teller_number(teller, &started, NULL, boot + since);
}
