/*
 * dead_letter.c - a failed message on its way to the batcher `dead_letter`.
 *
 *     received record, as it is     key, headers, payload: byte for byte
 *     + what handle_failed() added
 *     + weir-source: kafka          where it came from
 *       weir-topic, -partition, -offset; or weir-queue, -exchange, -routing-key
 *       weir-reason: order 7 has no total
 *       weir-code: rejected         one word of `codes`
 *       weir-attempts: 3            of the handler, or of the delivery
 *       weir-batcher: default       where its delivery failed
 *       weir-first-failed-at, weir-last-failed-at: 2026-01-31T23:59:59.123Z
 *       weir-pipeline, weir-host, weir-version
 *       weir-payload-omitted: 1048577
 *
 * What callbacks changed of it is gone: whoever reads a dead letter wants to
 * know what came in, and may send it in again.  A letter that fails, is
 * repaired, and fails again has each header twice; the last one counts.
 *
 * The headers are the message's changes, in an arena of exactly their size, of
 * which it is the only user: a letter that waits long pins nothing else.
 *
 * Threads: whoever has the message.
 */
#include "dead_letter.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"

enum { MAX_FIELDS = 20, NUMBER_SIZE = 24 };

static const char *const codes[REJECTED_COUNT] = {
    [REJECTED_HANDLER] = "rejected", [REJECTED_RETRIES] = "retries",
    [REJECTED_SIZE] = "size",        [REJECTED_BATCHER] = "unknown-batcher",
    [REJECTED_SINK] = "sink",        [REJECTED_NONSENSE] = "no-answer",
    [REJECTED_CRASHES] = "crashes",
};

/* The headers before they have memory of their own. */
struct fields {
    struct weir_header list[MAX_FIELDS];
    size_t count;
    struct weir_header spare; /* for the day its payload is left out */
    char partition[NUMBER_SIZE], offset[NUMBER_SIZE], attempts[NUMBER_SIZE],
        omitted[NUMBER_SIZE];
    char first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE];
};

static void add(struct fields *fields, const char *name,
                struct weir_bytes value)
{
    fields->list[fields->count++] =
        (struct weir_header){.name = weir_str(name), .value = value};
}

static void add_text(struct fields *fields, const char *name, const char *value)
{
    add(fields, name, weir_str(value));
}

static void add_number(struct fields *fields, const char *name, int64_t number,
                       char text[NUMBER_SIZE])
{
    (void)snprintf(text, NUMBER_SIZE, "%lld", (long long)number);
    add_text(fields, name, text);
}

static void add_property(struct fields *fields, const char *name,
                         const struct weir_message *msg, const char *property)
{
    const struct weir_bytes value = weir_message_property(msg, property);

    if (value.data)
        add(fields, name, value);
}

/* A queue's messages have a routing key, if only an empty one. */
static void add_origin(struct fields *fields, const struct run *run,
                       const struct weir_message *msg)
{
    const bool is_queue = weir_message_property(msg, "routing_key").data;

    add_text(fields, "weir-source", run->source);
    add_text(fields, is_queue ? "weir-queue" : "weir-topic",
             weir_message_topic(msg));
    if (weir_message_partition(msg) >= 0)
        add_number(fields, "weir-partition", weir_message_partition(msg),
                   fields->partition);
    if (weir_message_offset(msg) >= 0)
        add_number(fields, "weir-offset", weir_message_offset(msg),
                   fields->offset);
    add_property(fields, "weir-exchange", msg, "exchange");
    add_property(fields, "weir-routing-key", msg, "routing_key");
}

static void add_failure(struct fields *fields, const struct weir_message *msg,
                        enum reject_reason code, const char *batcher)
{
    const int64_t now = clock_wall_ms();
    const int64_t first = msg->chunk->failed_ms;

    add_text(fields, "weir-reason", weir_message_reason(msg));
    add_text(fields, "weir-code", codes[code]);
    add_number(fields, "weir-attempts", weir_message_attempt(msg),
               fields->attempts);
    if (batcher)
        add_text(fields, "weir-batcher", batcher);
    clock_format(first ? first : now, fields->first);
    add_text(fields, "weir-first-failed-at", fields->first);
    clock_format(now, fields->last);
    add_text(fields, "weir-last-failed-at", fields->last);
}

static void add_run(struct fields *fields, const struct run *run)
{
    add_text(fields, "weir-pipeline", run->name);
    add_text(fields, "weir-host", run->host);
    add_text(fields, "weir-version", WEIR_VERSION);
}

static void add_omission(struct fields *fields, const struct record *record)
{
    const uint64_t size =
        record->is_omitted ? record->omitted : record->payload_size;

    (void)snprintf(fields->omitted, sizeof fields->omitted, "%llu",
                   (unsigned long long)size);
    fields->spare =
        (struct weir_header){.name = weir_str("weir-payload-omitted"),
                             .value = weir_str(fields->omitted)};
    if (record->is_omitted)
        fields->list[fields->count++] = fields->spare;
}

/* ---- into memory of their own ---- */

static size_t aligned(size_t size)
{
    return (size + 7) / 8 * 8;
}

static size_t size_of(const struct weir_header *header)
{
    return aligned(sizeof(struct extra_header)) +
           aligned(header->name.size + 1) + aligned(header->value.size + 1);
}

static size_t size_of_all(const struct fields *fields,
                          const struct changes *old)
{
    size_t size = aligned(sizeof(struct changes)) + size_of(&fields->spare);

    for (size_t i = 0; i < fields->count; i++)
        size += size_of(&fields->list[i]);
    for (const struct extra_header *at = old ? old->headers : NULL; at;
         at = at->next)
        size += size_of(&at->header);
    return size;
}

static struct weir_bytes copy_of(struct arena *arena, struct weir_bytes bytes)
{
    char *at;

    if (!bytes.data)
        return bytes;
    at = arena_alloc(arena, bytes.size + 1);
    if (bytes.size > 0)
        memcpy(at, bytes.data, bytes.size);
    at[bytes.size] = '\0';
    return (struct weir_bytes){at, bytes.size};
}

static void append(struct changes *changes, struct extra_header *extra)
{
    if (changes->last_header)
        changes->last_header->next = extra;
    else
        changes->headers = extra;
    changes->last_header = extra;
    changes->header_count++;
}

static struct extra_header *copy_header(struct arena *arena,
                                        const struct weir_header *header)
{
    struct extra_header *extra = arena_alloc(arena, sizeof *extra);

    *extra = (struct extra_header){
        .header = {.name = copy_of(arena, header->name),
                   .value = copy_of(arena, header->value)}};
    return extra;
}

/* NULL: no memory. */
static struct arena *write_all(struct run *run, const struct fields *fields,
                               const struct changes *old,
                               struct changes **ret_changes)
{
    struct arena *arena = arena_create(&run->budget);
    struct changes *changes;

    if (!arena || !arena_reserve(arena, size_of_all(fields, old))) {
        if (arena)
            arena_release(arena, 1);
        return NULL;
    }
    changes = arena_alloc(arena, sizeof *changes);
    *changes = (struct changes){.retry_after_us = -1};
    for (const struct extra_header *at = old ? old->headers : NULL; at;
         at = at->next)
        append(changes, copy_header(arena, &at->header));
    for (size_t i = 0; i < fields->count; i++)
        append(changes, copy_header(arena, &fields->list[i]));
    changes->spare = copy_header(arena, &fields->spare);
    *ret_changes = changes;
    return arena;
}

const char *dead_letter_code(enum reject_reason code)
{
    return codes[code];
}

enum weir_status dead_letter_make(struct run *run, struct weir_message *msg,
                                  enum reject_reason code, const char *batcher)
{
    struct fields fields = {.count = 0};
    struct changes *changes = NULL;
    struct arena *arena;

    add_origin(&fields, run, msg);
    add_failure(&fields, msg, code, batcher);
    add_run(&fields, run);
    add_omission(&fields, msg->record);
    arena = write_all(run, &fields, msg->changes, &changes);
    if (!arena)
        return WEIR_RETRY;
    if (msg->arena)
        arena_release(msg->arena, 1);
    msg->arena = arena;
    msg->changes = changes;
    msg->reason = weir_message_find_header(msg, "weir-reason").data;
    msg->code = (uint8_t)code;
    return WEIR_OK;
}

bool dead_letter_omit_payload(struct weir_message *msg)
{
    if (weir_message_payload(msg).size == 0)
        return false;
    append(msg->changes, msg->changes->spare);
    msg->changes->spare = NULL;
    msg->changes->payload = (struct weir_bytes){NULL, 0};
    msg->changes->has_payload = true;
    return true;
}
