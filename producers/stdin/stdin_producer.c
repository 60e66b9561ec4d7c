/*
 * stdin_producer.c - a source of the lines of standard input.
 *
 * A line ends with "\n", which is not part of it; "\r" is.  What follows the
 * last newline is a line too.  A line above max_message_bytes is offered as
 * omitted, never cut.  Ticket and offset are the line's number, from 0.
 *
 *     open -> reading -> ended -> (all settled) -> WEIR_DONE
 *                 \-> draining -> (all settled) -> WEIR_DONE
 *
 * Invariants:
 *   (1) read(2) is called only when poll(2) said that it won't wait;
 *   (2) what was read and not offered when a drain ends is put back where that
 *       is possible (a file), and otherwise said.
 *
 * Why the descriptor isn't made non-blocking: that is a property of the
 * terminal or pipe, which the shell, and our own standard output, share.
 *
 * Threads: the producer's own, but for stdin_wake().
 */
#include "stdin_producer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "invariant.h"
#include "lines.h"
#include "log.h"
#include "waker.h"

enum { SOURCE = 0, NO_ROOM_US = 10000 };

struct stdin_producer {
    struct waker waker;
    struct lines *lines;
    uint64_t offered, settled; /* the next line's number is `offered` */
    bool is_begun, is_ended, is_draining;
};

static const struct weir_option stdin_options[] = {{0}};

static void stdin_check(const struct weir_settings *settings)
{
    if (weir_settings_share(settings)->count > 1)
        weir_settings_refuse(settings, "",
                             "standard input has one reader: set the "
                             "producer's concurrency to 1");
}

static enum weir_status stdin_open(void *self,
                                   const struct weir_settings *settings,
                                   struct weir_error *err)
{
    struct stdin_producer *input = self;
    enum weir_status status;

    /* First: a new descriptor would take its number. */
    if (fcntl(STDIN_FILENO, F_GETFD) < 0)
        return weir_fail(err, WEIR_FATAL, "stdin: it is closed: %s",
                         strerror(errno));
    status = waker_open(&input->waker, err);
    if (status != WEIR_OK)
        return status;
    input->lines =
        lines_create(weir_settings_share(settings)->max_message_bytes);
    if (!input->lines)
        return weir_fail(err, WEIR_RETRY, "stdin: no memory");
    return WEIR_OK;
}

static enum weir_status begin(struct stdin_producer *input,
                              struct weir_intake *intake,
                              struct weir_error *err)
{
    const struct weir_origin origin = {.topic = "stdin", .partition = -1};
    const enum weir_status status = weir_intake_begin(intake, SOURCE, &origin);

    if (status != WEIR_OK)
        return weir_fail(err, status, "stdin: cannot begin its source");
    input->is_begun = true;
    return WEIR_OK;
}

/* Offers up to `demand` of the lines that are there; returns how many were
 * taken.  *ret_status: WEIR_RETRY when there was no room. */
static unsigned offer(struct stdin_producer *input, struct weir_intake *intake,
                      unsigned demand, enum weir_status *ret_status)
{
    struct weir_record record = {.timestamp_ms = -1};
    unsigned taken = 0;

    *ret_status = WEIR_OK;
    while (taken < demand &&
           lines_peek(input->lines, &record.payload, &record.omitted)) {
        record.ticket = input->offered;
        record.offset = (int64_t)input->offered;
        *ret_status = weir_intake_add(intake, SOURCE, &record);
        INVARIANT(*ret_status != WEIR_HOLD); /* there is one source */
        if (*ret_status != WEIR_OK)
            break;
        lines_take(input->lines);
        input->offered++;
        taken++;
    }
    return taken;
}

/* One read(2).  WEIR_AGAIN: nothing was there after all. */
static enum weir_status read_some(struct stdin_producer *input,
                                  struct weir_error *err)
{
    size_t size;
    char *const space = lines_space(input->lines, &size);
    const ssize_t count = read(STDIN_FILENO, space, size);

    if (count > 0) {
        lines_added(input->lines, (size_t)count);
        return WEIR_OK;
    }
    if (count == 0) {
        input->is_ended = true;
        lines_end(input->lines);
        return WEIR_OK;
    }
    if (errno == EAGAIN || errno == EINTR)
        return WEIR_AGAIN;
    return weir_fail(err, WEIR_FATAL, "stdin: cannot read: %s",
                     strerror(errno));
}

static bool is_over(const struct stdin_producer *input)
{
    return (input->is_draining ||
            (input->is_ended && lines_left(input->lines) == 0)) &&
           input->settled == input->offered;
}

/* Nothing to read: waits for a wake. */
static enum weir_status rest(struct stdin_producer *input, int64_t deadline_us)
{
    if (is_over(input))
        return WEIR_DONE;
    (void)waker_wait(&input->waker, -1, 0, deadline_us);
    return WEIR_AGAIN;
}

/* Offers lines, reading more where none is there; WEIR_AGAIN at the deadline
 * and when woken. */
static enum weir_status pull_lines(struct stdin_producer *input,
                                   struct weir_intake *intake, unsigned demand,
                                   int64_t deadline_us, struct weir_error *err)
{
    enum weir_status status;
    unsigned cause = WAKER_READY;

    for (;;) {
        const int64_t soon_us = clock_after_us(NO_ROOM_US);

        if (offer(input, intake, demand, &status) > 0)
            return WEIR_OK;
        if (status != WEIR_OK) /* whoever makes room wakes us; or look again */
            return rest(input, soon_us < deadline_us ? soon_us : deadline_us);
        if (input->is_ended) {
            weir_intake_set_starved(intake, 0); /* no batch need wait */
            return rest(input, deadline_us);
        }
        if (cause != WAKER_READY)
            return WEIR_AGAIN;
        cause = waker_wait(&input->waker, STDIN_FILENO, POLLIN, deadline_us);
        if (cause & WAKER_READY)
            status = read_some(input, err);
        if (status == WEIR_FATAL)
            return status;
    }
}

static enum weir_status stdin_pull(void *self, struct weir_intake *intake,
                                   unsigned demand, int64_t deadline_us,
                                   struct weir_error *err)
{
    struct stdin_producer *input = self;

    if (!input->is_begun) {
        const enum weir_status status = begin(input, intake, err);

        if (status != WEIR_OK)
            return status;
    }
    if (demand == 0 || input->is_draining)
        return rest(input, deadline_us);
    return pull_lines(input, intake, demand, deadline_us, err);
}

static enum weir_status stdin_settle(void *self,
                                     const struct weir_settlement *settlements,
                                     size_t count, struct weir_error *err)
{
    struct stdin_producer *input = self;

    (void)err;
    for (size_t i = 0; i < count; i++)
        input->settled += settlements[i].count;
    INVARIANT(input->settled <= input->offered);
    return WEIR_OK;
}

/* Nothing is committed: whoever reads after us gets what comes then. */
static void stdin_describe(const void *self, uint32_t source,
                           struct weir_source_facts *facts)
{
    const struct stdin_producer *input = self;

    (void)source;
    facts->position = (int64_t)input->offered;
    facts->window = input->offered - input->settled;
}

static void stdin_wake(void *self)
{
    struct stdin_producer *input = self;

    waker_wake(&input->waker);
}

static void stdin_drain(void *self)
{
    struct stdin_producer *input = self;

    input->is_draining = true;
}

/* What was read and not offered: for the next reader of the same file. */
static void put_back(const struct stdin_producer *input)
{
    const size_t left = input->lines ? lines_left(input->lines) : 0;

    if (left > 0 && lseek(STDIN_FILENO, -(off_t)left, SEEK_CUR) < 0)
        log_write(WEIR_LOG_WARNING,
                  "stdin: stopped after line %llu; %zu bytes that were read "
                  "after it are lost",
                  (unsigned long long)input->offered, left);
}

static void stdin_close(void *self, int64_t deadline_us)
{
    struct stdin_producer *input = self;

    (void)deadline_us;
    put_back(input);
    waker_close(&input->waker);
    lines_destroy(input->lines);
    input->lines = NULL;
    input->settled = input->offered; /* its epoch has ended */
    input->is_begun = false;
    input->is_ended = false;
    input->is_draining = false;
}

const struct weir_producer_ops weir_stdin_producer = {
    .name = "stdin",
    .help = "Reads the lines of standard input.",
    .options = stdin_options,
    .self_size = sizeof(struct stdin_producer),
    .policies =
        WEIR_POLICY_BIT(WEIR_POLICY_DROP) | WEIR_POLICY_BIT(WEIR_POLICY_STOP),
    .backlog = WEIR_BACKLOG_FINISH,
    .ordering = WEIR_ORDERING_NONE,
    .fields = "topic|offset",
    .check = stdin_check,
    .open = stdin_open,
    .pull = stdin_pull,
    .settle = stdin_settle,
    .describe = stdin_describe,
    .wake = stdin_wake,
    .drain = stdin_drain,
    .close = stdin_close,
};
