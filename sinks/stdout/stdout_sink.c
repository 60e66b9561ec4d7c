/*
 * stdout_sink.c - writes batches to standard output, a line for each message.
 *
 * Standard output is often a pipe to a reader that is slower than we are, and
 * a write to it may take for ever.  So a batch is taken, written as far as the
 * reader lets us, and the rest follows in poll() and flush().
 *
 *     text   {...}\n {...}\n {...}\n {...}\n
 *                            ^ settled     all before it is in the pipe
 *                               ^ written  of this many bytes
 *
 * Invariants:
 *   (1) a message is confirmed when its last byte was written, in order;
 *   (2) nothing here waits inside write(2): poll(2) said that there is room,
 * and no more than PIPE_BUF bytes are written at once, which is the room that
 *       it promises.  A regular file always has room.
 *
 * Why not make the descriptor non-blocking: that is a property of the terminal
 * or pipe, and the shell and other programs share it with us.
 *
 * Threads: one worker's, but for stdout_wake().
 */
#include "stdout_sink.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format.h"
#include "waker.h"

enum { FILE_STEP = 1024 * 1024 };

struct stdout_sink {
    struct waker waker;
    enum format_kind kind;
    size_t step; /* bytes to write at once */
    struct format_text text;
    struct weir_batch *batch; /* being written, or NULL */
    size_t written, settled;
};

static const struct weir_option stdout_options[] = {FORMAT_OPTION, {0}};

static void stdout_check(const struct weir_settings *settings)
{
    if (weir_settings_share(settings)->count > 1)
        weir_settings_refuse(settings, "",
                             "standard output has one writer: set the "
                             "batcher's concurrency to 1");
}

static enum weir_status stdout_open(void *self,
                                    const struct weir_settings *settings,
                                    struct weir_error *err)
{
    struct stdout_sink *out = self;
    struct stat found;

    if (fstat(STDOUT_FILENO, &found) != 0)
        return weir_fail(err, WEIR_FATAL, "stdout: it is closed: %s",
                         strerror(errno));
    out->kind = format_kind_read(settings);
    out->step = S_ISREG(found.st_mode) ? FILE_STEP : PIPE_BUF;
    return waker_open(&out->waker, err);
}

/* Settles what is written; the batch is gone with its last message. */
static bool settle(struct stdout_sink *out)
{
    const struct format_text *const text = &out->text;
    struct weir_batch *const batch = out->batch;
    const size_t first = out->settled;

    while (out->settled < text->count &&
           text->ends[out->settled] <= out->written)
        out->settled++;
    if (out->settled == text->count)
        out->batch = NULL;
    format_settle(text, batch, first, out->settled);
    return out->settled > first;
}

static enum weir_status broken(struct weir_error *err)
{
    if (errno == EPIPE)
        return weir_fail(err, WEIR_FATAL, "stdout: its reader has gone");
    return weir_fail(err, WEIR_FATAL, "stdout: cannot write: %s",
                     strerror(errno));
}

/* One write.  WEIR_AGAIN: no room after all. */
static enum weir_status push(struct stdout_sink *out, struct weir_error *err)
{
    const struct buffer *const lines = &out->text.buffer;
    const size_t left = lines->size - out->written;
    const ssize_t count = write(STDOUT_FILENO, lines->data + out->written,
                                left < out->step ? left : out->step);

    if (count >= 0) {
        out->written += (size_t)count;
        return WEIR_OK;
    }
    if (errno == EAGAIN || errno == EINTR)
        return WEIR_AGAIN;
    return broken(err);
}

/* Waits for room until an outcome was set, a wake or the deadline, and goes on
 * for as long as there is room.  WEIR_AGAIN: not all is written. */
static enum weir_status write_until(struct stdout_sink *out,
                                    int64_t deadline_us, struct weir_error *err)
{
    while (out->batch) {
        const unsigned cause =
            waker_wait(&out->waker, STDOUT_FILENO, POLLOUT, deadline_us);
        enum weir_status status;

        if (!(cause & WAKER_READY))
            return WEIR_AGAIN;
        status = push(out, err);
        if (status == WEIR_FATAL) {
            out->batch = NULL; /* what has no outcome is the runtime's again */
            return status;
        }
        if (settle(out) || (cause & WAKER_WOKEN))
            deadline_us = 0;
    }
    return WEIR_OK;
}

static enum weir_status stdout_write(void *self, struct weir_batch *batch,
                                     struct weir_error *err)
{
    struct stdout_sink *out = self;
    enum weir_status status;

    if (out->batch)
        return WEIR_AGAIN;
    status = format_batch(&out->text, out->kind, batch, err);
    if (status != WEIR_OK)
        return status;
    out->batch = batch;
    out->written = 0;
    out->settled = 0;
    (void)settle(out); /* messages in front that have no text */
    status = write_until(out, 0, err);
    return status == WEIR_AGAIN ? WEIR_OK : status;
}

static enum weir_status stdout_poll(void *self, int64_t deadline_us,
                                    struct weir_error *err)
{
    const enum weir_status status = write_until(self, deadline_us, err);

    return status == WEIR_AGAIN ? WEIR_OK : status;
}

/* Writes on after each outcome, until all is written. */
static enum weir_status stdout_flush(void *self, int64_t deadline_us,
                                     struct weir_error *err)
{
    struct stdout_sink *out = self;
    enum weir_status status;
    size_t settled;

    do {
        settled = out->settled;
        status = write_until(out, deadline_us, err);
    } while (status == WEIR_AGAIN && out->settled > settled);
    return status;
}

static void stdout_wake(void *self)
{
    struct stdout_sink *out = self;

    waker_wake(&out->waker);
}

static void stdout_close(void *self, int64_t deadline_us)
{
    struct stdout_sink *out = self;

    (void)deadline_us;
    out->batch = NULL;
    waker_close(&out->waker);
    format_text_finish(&out->text);
}

const struct weir_sink_ops weir_stdout_sink = {
    .name = "stdout",
    .help = "Writes each message as a line to standard output.",
    .options = stdout_options,
    .self_size = sizeof(struct stdout_sink),
    .is_ordered = true,
    .check = stdout_check,
    .open = stdout_open,
    .write = stdout_write,
    .poll = stdout_poll,
    .flush = stdout_flush,
    .wake = stdout_wake,
    .close = stdout_close,
};
