/*
 * tracer.c - spans of the messages that are sampled.
 *
 *     their parent's span       (of the header `traceparent`, or none)
 *       +- process              each call of handle_message()
 *            +- send            each delivery that followed the last call
 *
 * A message that belongs to a trace is sampled if its trace is: otherwise
 * traces would have holes.  Of those without one a share begins its own.
 *
 * Nothing is kept for it in a message: whether it is sampled, its trace and its
 * spans' identities come from a hash of what it is, so the sink finds the same
 * ones that the handler had.  For one that is not sampled this costs the look
 * for a header, or a hash.
 *
 * Threads: whoever has the message.
 */
#include "tracer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "hash.h"

/* What a message is, also as a copy. */
static uint64_t identity(const struct tracer *tracer,
                         const struct weir_message *msg)
{
    const uint64_t words[] = {msg->epoch->origin->hash, msg->ticket,
                              (uint64_t)msg->taken_us};

    return hash_bytes(words, sizeof words, tracer->seed);
}

/* As it was received, whatever a handler adds. */
static bool find_parent(const struct weir_message *msg,
                        struct traceparent *ret_parent)
{
    static const char name[] = "traceparent";

    for (size_t i = msg->record->header_count; i > 0; i--) {
        const struct weir_header header = record_header(msg->record, i - 1);

        if (header.name.size == sizeof name - 1 &&
            memcmp(header.name.data, name, sizeof name - 1) == 0)
            return traceparent_parse(header.value, ret_parent);
    }
    return false;
}

bool tracer_samples(const struct tracer *tracer, const struct weir_message *msg)
{
    struct traceparent parent;

    if (find_parent(msg, &parent))
        return parent.is_sampled;
    return tracer->share > 0 &&
           (double)(identity(tracer, msg) >> 11) * 0x1p-53 < tracer->share;
}

/* One that is not all zeros, which would be none. */
static void write_id(uint64_t hash, char out[TRACE_SPAN_ID_SIZE])
{
    (void)snprintf(out, TRACE_SPAN_ID_SIZE, "%016" PRIx64, hash | (hash == 0));
}

static void write_span_id(const struct tracer *tracer,
                          const struct weir_message *msg, uint32_t handled,
                          uint32_t delivered, char out[TRACE_SPAN_ID_SIZE])
{
    const uint64_t words[] = {identity(tracer, msg), handled, delivered};

    write_id(hash_bytes(words, sizeof words, tracer->seed), out);
}

static struct traced describe(const struct tracer *tracer,
                              const struct weir_message *msg)
{
    const struct origin *origin = msg->epoch->origin;
    struct traced traced = {.source = origin->topic,
                            .partition = origin->partition,
                            .position = msg->record->offset >= 0
                                            ? msg->record->offset
                                            : (int64_t)msg->ticket};
    struct traceparent parent;
    uint64_t id = identity(tracer, msg);

    if (find_parent(msg, &parent)) {
        memcpy(traced.trace_id, parent.trace_id, sizeof parent.trace_id);
        memcpy(traced.parent_id, parent.parent_id, sizeof parent.parent_id);
        return traced;
    }
    /* Another hash than the one that chose it, which is small. */
    for (size_t at = 0; at < TRACE_ID_SIZE - 1; at += TRACE_SPAN_ID_SIZE - 1) {
        id = hash_bytes(&id, sizeof id, tracer->seed);
        write_id(id, traced.trace_id + at);
    }
    return traced;
}

void tracer_handled(const struct tracer *tracer, const struct weir_message *msg,
                    unsigned worker, int64_t begin_us, const char *reason)
{
    struct traced traced = describe(tracer, msg);

    write_span_id(tracer, msg, msg->attempt, 0, traced.span_id);
    traced.kind = TRACED_PROCESS;
    traced.begin_us = begin_us;
    traced.end_us = clock_now_us();
    traced.reason = reason;
    traced.attempt = msg->record->deliveries + msg->attempt;
    traced.worker = worker;
    tracer->take(tracer->opaque, &traced);
}

static const char *reason_of(const struct weir_batch *batch, uint32_t index,
                             const char *reason)
{
    switch (batch->outcomes ? batch_outcome(batch, index) : WEIR_STATUS_COUNT) {
    case WEIR_OK:
    case WEIR_DONE:
        return NULL;
    case WEIR_STATUS_COUNT:
        return reason;
    default:
        return batch->why && batch->why[index] ? batch->why[index] : "";
    }
}

static void send_one(const struct tracer *tracer,
                     const struct weir_batch *batch, uint32_t index,
                     struct traced *common)
{
    const struct weir_message *msg = batch->messages[index];
    struct traced traced = describe(tracer, msg);

    if (msg->attempt > 0) /* there is a handler */
        write_span_id(tracer, msg, msg->attempt, 0, traced.parent_id);
    write_span_id(tracer, msg, msg->attempt, msg->deliveries, traced.span_id);
    traced.kind = TRACED_SEND;
    traced.begin_us = common->begin_us;
    traced.end_us = common->end_us;
    traced.reason = reason_of(batch, index, common->reason);
    traced.batcher = batch->batcher;
    traced.attempt = msg->deliveries;
    traced.worker = common->worker;
    traced.count = batch->count;
    tracer->take(tracer->opaque, &traced);
}

void tracer_delivered(const struct tracer *tracer,
                      const struct weir_batch *batch, unsigned worker,
                      const char *reason)
{
    struct traced common = {
        .begin_us = batch->begun_us, .reason = reason, .worker = worker};

    if (!tracer->take)
        return;
    for (uint32_t i = 0; i < batch->count; i++) {
        if (!tracer_samples(tracer, batch->messages[i]))
            continue;
        if (common.end_us == 0)
            common.end_us = clock_now_us();
        send_one(tracer, batch, i, &common);
    }
}
