/*
 * reader.c - the handler that weir runs in every measurement.
 *
 * options: out (the file that meters are appended to), latency (payloads begin
 * with the time they were made), wait (how long each message takes).  Batches
 * that no sink takes are never done: that is how a destination stands still.
 *
 * Threads: a meter per worker.
 */
#include <stdlib.h>
#include <time.h>

#include <weir/handler.h>

#include "meter.h"

struct reader {
    struct meter meter;
    const char *out; /* NULL in a sink worker */
    struct timespec wait;
};

static enum weir_status init(const struct weir_worker *worker,
                             const struct weir_settings *options,
                             void **ret_state, struct weir_error *err)
{
    struct reader *reader = calloc(1, sizeof *reader);

    if (!reader)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    if (!worker->batcher)
        reader->out = weir_settings_string(options, "out");
    reader->wait.tv_nsec = weir_settings_int(options, "wait", 0) * 1000;
    reader->meter.has_latency = weir_settings_bool(options, "latency", false);
    *ret_state = reader;
    return WEIR_OK;
}

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    struct reader *reader = state;
    const struct weir_bytes payload = weir_message_payload(msg);

    if (reader->wait.tv_nsec > 0)
        (void)nanosleep(&reader->wait, NULL);
    meter_handle(&reader->meter, payload.data, payload.size);
    return WEIR_OK;
}

static enum weir_status handle_batch(struct weir_batch *batch, void *state)
{
    (void)batch;
    (void)state;
    return WEIR_RETRY;
}

static void terminate(void *state)
{
    struct reader *reader = state;

    if (!reader)
        return;
    if (reader->out && reader->meter.count > 0)
        meter_finish(&reader->meter, reader->out);
    free(reader);
}

WEIR_HANDLER(reader, .init = init, .handle_message = handle_message,
             .handle_batch = handle_batch, .terminate = terminate);
