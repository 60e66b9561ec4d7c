/*
 * file.c - small files, read whole.
 *
 * What is named may be a pipe, a device or endless; so the size is found by
 * reading, never more than one byte past the limit.
 *
 * Threads: none; the loader's.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* At most `limit` + 1 bytes; -1: errno says why. */
static ssize_t read_up_to(int fd, char *bytes, size_t limit)
{
    size_t used = 0;

    while (used <= limit) {
        const ssize_t n = read(fd, bytes + used, limit + 1 - used);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        used += (size_t)n;
    }
    return (ssize_t)used;
}

static enum weir_status read_whole(struct storage *storage, int fd,
                                   size_t limit, struct weir_bytes *ret_bytes,
                                   struct weir_error *err)
{
    enum weir_status status = WEIR_OK;
    char *bytes = malloc(limit + 1);
    const char *copy;
    ssize_t size;

    if (!bytes)
        return weir_fail(err, WEIR_RETRY, "no memory to read it");
    size = read_up_to(fd, bytes, limit);
    if (size < 0) {
        status =
            weir_fail(err, WEIR_REJECT, "can't be read: %s", strerror(errno));
        goto out;
    }
    if ((size_t)size > limit) {
        status =
            weir_fail(err, WEIR_REJECT, "is larger than %zu KiB", limit / 1024);
        goto out;
    }
    copy = storage_copy(storage, bytes, (size_t)size);
    if (!copy)
        status = weir_fail(err, WEIR_RETRY, "no memory to read it");
    else
        *ret_bytes = (struct weir_bytes){copy, (size_t)size};
out:
    free(bytes);
    return status;
}

enum weir_status file_read(struct storage *storage, const char *path,
                           size_t limit, struct weir_bytes *ret_bytes,
                           struct weir_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum weir_status status;
    struct stat meta;

    if (fd < 0)
        return weir_fail(err, WEIR_REJECT, "can't be opened: %s",
                         strerror(errno));
    if (fstat(fd, &meta) == 0 && S_ISDIR(meta.st_mode))
        status = weir_fail(err, WEIR_REJECT, "is a folder, not a file");
    else
        status = read_whole(storage, fd, limit, ret_bytes, err);
    (void)close(fd);
    return status;
}

char *file_join(struct storage *storage, const char *folder, const char *path)
{
    const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
    char *joined;
    size_t size;

    while (path[0] == '.' && path[1] == '/') /* "./x" is "x" */
        path += 2 + strspn(path + 2, "/");
    if (path[0] == '/')
        return storage_copy(storage, path, strlen(path));
    size = strlen(folder) + strlen(slash) + strlen(path) + 1;
    joined = storage_alloc(storage, size);
    if (joined)
        (void)snprintf(joined, size, "%s%s%s", folder, slash, path);
    return joined;
}

char *file_folder(struct storage *storage, const char *path)
{
    const char *slash = strrchr(path, '/');
    char here[PATH_MAX];
    char *folder;

    if (!getcwd(here, sizeof here))
        (void)snprintf(here, sizeof here, "/");
    if (!slash)
        return storage_copy(storage, here, strlen(here));
    folder =
        storage_copy(storage, path, slash == path ? 1 : (size_t)(slash - path));
    return folder ? file_join(storage, here, folder) : NULL;
}
