/*
 * file_sink.c - appends batches to one file, a line for each message.
 *
 * What is in the file must be exactly what was confirmed, or repeated after a
 * crash, but never half a line, and never a line twice because a write failed
 * in the middle.
 *
 *     | lines of earlier batches | this batch |
 *                                ^ size before it
 *     short write, full disk, failed fsync: cut back to there, try again later
 *     killed in the middle: at the next open, cut back to the last newline
 *
 * Invariants:
 *   (1) an outcome is set after write(), and with `fsync: batch` after
 *       fdatasync(), succeeded for the whole batch;
 *   (2) after a failed write the file ends where it ended before; when even
 *       that fails, the next open() does it first (`is_cut_due`);
 *   (3) one writer per file: the lock is on the open file, so it also holds
 *       between two sinks of one process, and ends with the process;
 *   (4) before each batch the path still names the open file, so that nothing
 *       is confirmed into a file that was moved away or removed.
 *
 * Why cut back after a failed fsync: the kernel forgets the pages that it could
 * not write, and a second fsync() succeeds.  They must be written anew.
 *
 * Threads: one worker's; nothing is locked.
 */
#include "file_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_questions.h"
#include "format.h"
#include "log.h"
#include "tail.h"

enum { FILE_MODE = 0644 };

struct file_sink {
    const char *path; /* of the settings */
    enum format_kind kind;
    bool is_open, is_synced;
    int fd;
    dev_t device;
    ino_t inode;
    bool is_cut_due; /* of the file device:inode, back to `cut_to` */
    off_t cut_to;
    struct format_text text;
};

static const struct weir_option file_options[] = {
    {.name = "path",
     .type = WEIR_OPTION_PATH,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "The file that lines are appended to; made when it isn't there."},
    FORMAT_OPTION,
    {.name = "fsync",
     .type = WEIR_OPTION_CHOICE,
     .fallback = "batch",
     .choices = "batch|never",
     .help = "Whether a batch counts as delivered when it is on the disk, or "
             "already when the kernel has it."},
    {0},
};

/* The folder of `path`, into `out`; false: too long for a path. */
static bool folder_of(const char *path, char out[PATH_MAX])
{
    char copy[PATH_MAX];

    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return false;
    /* The folder's name is no longer than the path and so fits. */
    (void)snprintf(out, PATH_MAX, "%s", dirname(copy));
    return true;
}

static void check_folder(const struct weir_settings *settings,
                         const char *folder)
{
    struct stat found;

    if (stat(folder, &found) != 0 || !S_ISDIR(found.st_mode))
        weir_settings_refuse(settings, "path",
                             "the folder %s isn't there: make it first",
                             folder);
    else if (access(folder, W_OK | X_OK) != 0)
        weir_settings_refuse(settings, "path", "no file can be made in %s: %s",
                             folder, strerror(errno));
}

static void check_path(const struct weir_settings *settings, const char *path)
{
    char folder[PATH_MAX];
    struct stat found;

    if (!folder_of(path, folder))
        weir_settings_refuse(settings, "path", "the path is too long");
    else if (stat(path, &found) != 0)
        check_folder(settings, folder);
    else if (!S_ISREG(found.st_mode))
        weir_settings_refuse(settings, "path",
                             "%s is not a regular file: name one, or use the "
                             "stdout sink",
                             path);
    else if (access(path, R_OK | W_OK) != 0)
        weir_settings_refuse(settings, "path", "%s can't be written: %s", path,
                             strerror(errno));
}

static void file_check(const struct weir_settings *settings)
{
    const char *const path = weir_settings_string(settings, "path");

    if (path)
        check_path(settings, path);
    if (weir_settings_share(settings)->count > 1)
        weir_settings_refuse(settings, "",
                             "a file has one writer: set the batcher's "
                             "concurrency to 1");
}

static enum weir_status lock(const struct file_sink *file,
                             struct weir_error *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(file->fd, F_OFD_SETLK, &whole) == 0)
        return WEIR_OK;
    if (errno == EAGAIN || errno == EACCES)
        return weir_fail(err, WEIR_RETRY,
                         "file: %s has another writer; end that one, or give "
                         "this one a file of its own",
                         file->path);
    return weir_fail(err, WEIR_RETRY, "file: cannot lock %s: %s", file->path,
                     strerror(errno));
}

/* Makes the name of a new file as durable as its lines will be. */
static enum weir_status sync_folder(const struct file_sink *file,
                                    struct weir_error *err)
{
    char folder[PATH_MAX];
    enum weir_status status = WEIR_OK;
    int fd;

    if (!folder_of(file->path, folder))
        return weir_fail(err, WEIR_FATAL, "file: the path is too long");
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        status = weir_fail(err, WEIR_RETRY, "file: cannot sync folder %s: %s",
                           folder, strerror(errno));
    if (fd >= 0)
        close(fd);
    return status;
}

static enum weir_status cut(const struct file_sink *file, off_t size,
                            struct weir_error *err)
{
    int rc;

    do {
        rc = ftruncate(file->fd, size);
    } while (rc != 0 && errno == EINTR);
    if (rc != 0)
        return weir_fail(err, WEIR_RETRY, "file: cannot cut back %s: %s",
                         file->path, strerror(errno));
    return WEIR_OK;
}

/* Removes what an interrupted write left at the end of the file. */
static enum weir_status repair(struct file_sink *file, off_t size,
                               struct weir_error *err)
{
    struct weir_error why = {0};
    enum weir_status status;
    off_t end;

    if (file->is_cut_due && size > file->cut_to) {
        status = cut(file, file->cut_to, err);
        if (status != WEIR_OK)
            return status;
        size = file->cut_to;
    }
    file->is_cut_due = false;
    status = tail_find_end(file->fd, size, &end, &why);
    if (status != WEIR_OK)
        return weir_fail(err, status, "file: %s: %s", file->path, why.text);
    if (end == size)
        return WEIR_OK;
    status = cut(file, end, err);
    if (status == WEIR_OK)
        log_write(WEIR_LOG_WARNING,
                  "file: %s ended in the middle of a line: cut off its last "
                  "%" PRId64 " bytes",
                  file->path, (int64_t)(size - end));
    return status;
}

static enum weir_status inspect(const struct file_sink *file,
                                struct stat *ret_found, struct weir_error *err)
{
    if (fstat(file->fd, ret_found) != 0)
        return weir_fail(err, WEIR_RETRY, "file: cannot look at %s: %s",
                         file->path, strerror(errno));
    if (!S_ISREG(ret_found->st_mode))
        return weir_fail(err, WEIR_FATAL, "file: %s is not a regular file",
                         file->path);
    return WEIR_OK;
}

static enum weir_status adopt(struct file_sink *file, struct weir_error *err)
{
    struct stat found;
    enum weir_status status = lock(file, err);

    /* After the lock: until then the writer before us may have written. */
    if (status == WEIR_OK)
        status = inspect(file, &found, err);
    if (status != WEIR_OK)
        return status;
    if (found.st_dev != file->device || found.st_ino != file->inode)
        file->is_cut_due = false;
    file->device = found.st_dev;
    file->inode = found.st_ino;
    status = repair(file, found.st_size, err);
    if (status == WEIR_OK && file->is_synced)
        status = sync_folder(file, err);
    return status;
}

static enum weir_status file_open(void *self,
                                  const struct weir_settings *settings,
                                  struct weir_error *err)
{
    struct file_sink *file = self;
    const char *const sync = weir_settings_string(settings, "fsync");

    file->path = weir_settings_string(settings, "path");
    file->kind = format_kind_read(settings);
    file->is_synced = !sync || strcmp(sync, "batch") == 0;
    file->fd =
        open(file->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY,
             FILE_MODE);
    if (file->fd < 0)
        return weir_fail(err, WEIR_RETRY, "file: cannot open %s: %s",
                         file->path, strerror(errno));
    file->is_open = true;
    return adopt(file, err);
}

/* WEIR_RETRY: the path names another file now, or none. */
static enum weir_status find_size(const struct file_sink *file, off_t *ret_size,
                                  struct weir_error *err)
{
    struct stat found;

    if (stat(file->path, &found) != 0)
        return weir_fail(err, WEIR_RETRY, "file: %s is gone: %s", file->path,
                         strerror(errno));
    if (found.st_dev != file->device || found.st_ino != file->inode)
        return weir_fail(err, WEIR_RETRY,
                         "file: %s was replaced by another file", file->path);
    *ret_size = found.st_size;
    return WEIR_OK;
}

static enum weir_status append(const struct file_sink *file,
                               struct weir_error *err)
{
    const struct buffer *const lines = &file->text.buffer;
    ssize_t written;

    do {
        written = write(file->fd, lines->data, lines->size);
    } while (written < 0 && errno == EINTR);
    if (written < 0)
        return weir_fail(err, WEIR_RETRY, "file: cannot write to %s: %s",
                         file->path, strerror(errno));
    if ((size_t)written < lines->size)
        return weir_fail(err, WEIR_RETRY,
                         "file: %s took %zd of %zu bytes: is the disk full?",
                         file->path, written, lines->size);
    if (file->is_synced && fdatasync(file->fd) != 0)
        return weir_fail(err, WEIR_RETRY, "file: cannot sync %s: %s",
                         file->path, strerror(errno));
    return WEIR_OK;
}

static enum weir_status write_text(struct file_sink *file,
                                   struct weir_error *err)
{
    enum weir_status status;
    off_t size = 0;

    if (file->text.buffer.size == 0)
        return WEIR_OK;
    status = find_size(file, &size, err);
    if (status != WEIR_OK)
        return status;
    status = append(file, err);
    if (status != WEIR_OK && cut(file, size, NULL) != WEIR_OK) {
        file->is_cut_due = true;
        file->cut_to = size;
    }
    return status;
}

static enum weir_status file_write(void *self, struct weir_batch *batch,
                                   struct weir_error *err)
{
    struct file_sink *file = self;
    enum weir_status status;

    status = format_batch(&file->text, file->kind, batch, err);
    if (status == WEIR_OK)
        status = write_text(file, err);
    if (status == WEIR_OK)
        format_settle(&file->text, batch, 0, file->text.count);
    return status;
}

static void file_close(void *self, int64_t deadline_us)
{
    struct file_sink *file = self;

    (void)deadline_us;
    if (file->is_open)
        close(file->fd);
    file->is_open = false;
    format_text_finish(&file->text);
}

const struct weir_sink_ops weir_file_sink = {
    .name = "file",
    .help = "Appends each message as a line to one file.",
    .options = file_options,
    .self_size = sizeof(struct file_sink),
    .is_ordered = true,
    .check = file_check,
    .probe = file_questions_ask,
    .open = file_open,
    .write = file_write,
    .close = file_close,
};
