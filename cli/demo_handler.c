/*
 * demo_handler.c - the access-log handler, with a witness of what arrives.
 *
 *     handle_message   as in examples/access_log
 *     handle_batch     delivered: ids into the pipe
 *     handle_failed    rejected: ids into the pipe
 *
 * A pipe, because a handler's state is per worker and nothing is global; and
 * because what went through a pipe has left the pipeline for good.  Writes of
 * up to PIPE_BUF bytes don't mix, so all workers share it without a lock.
 *
 * Threads: the workers of the pipeline.
 */
#include "demo_handler.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access_log.h"

enum { EVENTS_PER_WRITE = PIPE_BUF / sizeof(struct demo_event) };

struct witness {
    int fd;
    size_t count;
    struct demo_event events[EVENTS_PER_WRITE];
};

static enum weir_status init(const struct weir_worker *worker,
                             const struct weir_settings *options,
                             void **ret_state, struct weir_error *err)
{
    struct witness *witness = calloc(1, sizeof *witness);

    (void)worker;
    if (!witness)
        return weir_fail(err, WEIR_FATAL, "no memory");
    witness->fd = (int)weir_settings_int(options, "witness", -1);
    *ret_state = witness;
    return WEIR_OK;
}

static void terminate(void *state)
{
    free(state);
}

/* False: nobody reads it any more. */
static bool flush(struct witness *witness)
{
    const size_t size = witness->count * sizeof witness->events[0];
    ssize_t written;

    if (size == 0)
        return true;
    do
        written = write(witness->fd, witness->events, size);
    while (written < 0 && errno == EINTR);
    witness->count = 0;
    return written == (ssize_t)size;
}

static bool note(struct witness *witness, const struct weir_message *msg,
                 bool is_rejected)
{
    const struct weir_bytes key = weir_message_key(msg);
    struct demo_event *event = &witness->events[witness->count];

    *event = (struct demo_event){.id = UINT64_MAX, .is_rejected = is_rejected};
    if (key.size == sizeof event->id)
        memcpy(&event->id, key.data, sizeof event->id);
    witness->count++;
    return witness->count < EVENTS_PER_WRITE || flush(witness);
}

static enum weir_status handle_batch(struct weir_batch *batch, void *state)
{
    const size_t count = weir_batch_count(batch);
    bool is_heard = true;

    for (size_t i = 0; i < count; i++)
        is_heard = note(state, weir_batch_message(batch, i), false) && is_heard;
    return flush(state) && is_heard ? WEIR_OK : WEIR_RETRY;
}

static enum weir_status handle_failed(struct weir_message *const *messages,
                                      size_t count, void *state)
{
    bool is_heard = true;

    for (size_t i = 0; i < count; i++)
        is_heard = note(state, messages[i], true) && is_heard;
    return flush(state) && is_heard ? WEIR_OK : WEIR_FATAL;
}

const struct weir_handler demo_handler = {
    .abi_version = WEIR_ABI_VERSION,
    .struct_size = sizeof(struct weir_handler),
    .name = "access_log",
    .init = init,
    .handle_message = access_log_handle_message,
    .handle_batch = handle_batch,
    .handle_failed = handle_failed,
    .terminate = terminate,
};
