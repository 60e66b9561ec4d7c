/*
 * file_questions.c - what will go wrong when this file is written?
 *
 * That the folder is there and may be written, check() has found already.
 */
#include "file_questions.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, FEW_MIB = 100 };

/* The lock that a writer has; the file is neither made nor changed. */
static bool has_writer(const char *path)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    bool is_locked;

    if (fd < 0)
        return false;
    is_locked = fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
    close(fd);
    return is_locked;
}

/* -1: it can't be told. */
static int64_t free_mib(const char *path)
{
    char copy[PATH_MAX];
    struct statvfs disk;

    (void)snprintf(copy, sizeof copy, "%s", path);
    if (statvfs(dirname(copy), &disk) != 0)
        return -1;
    return (int64_t)(disk.f_bavail * disk.f_frsize / MIB);
}

void file_questions_ask(const struct weir_settings *settings,
                        int64_t deadline_us, struct weir_findings *findings)
{
    const char *path = weir_settings_string(settings, "path");
    const bool is_taken = has_writer(path);
    const int64_t left = free_mib(path);
    char where[PATH_MAX];

    (void)deadline_us; /* nobody is waited for */
    (void)snprintf(where, sizeof where, "file %s", path);
    if (is_taken)
        weir_findings_add(findings, WEIR_SEVERITY_WARNING, where,
                          "end that one, or it is waited for",
                          "it has another writer");
    if (left < 0)
        weir_findings_add(findings, WEIR_SEVERITY_ERROR, where,
                          "check the folder", "its disk can't be looked at: %s",
                          strerror(errno));
    else if (left < FEW_MIB)
        weir_findings_add(findings, WEIR_SEVERITY_WARNING, where,
                          "make room: a full disk stops the source",
                          "its disk has %" PRId64 " MiB left", left);
    else
        weir_findings_add(findings, WEIR_SEVERITY_OK, where, NULL,
                          "it can be written, and its disk has room");
}
