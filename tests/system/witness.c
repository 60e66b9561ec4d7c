/*
 * witness.c - a handler that does as the system tests tell it.
 *
 * What a handler sees of a message can only be shown from inside one, and many
 * troubles only happen while one is slow, stuck or failing.  Options:
 *
 *     delay      how long each message takes (a duration)
 *     gate       a path: while that file is there, handling waits
 *     stuck      this payload never returns
 *     reject     this payload is rejected; so is every one that begins with it
 *     again      one that begins with this is tried again, once
 *     crash      this payload takes the process down
 *     hoard      so much memory each worker takes with its first message, and
 *                keeps
 *     describe   true: the payload becomes a line of what can be seen
 *
 * Each worker has its own state; nothing is shared.
 *
 * Threads: the workers', each with its own state.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weir/handler.h>

struct witness {
    int64_t delay_us;
    const char *gate, *stuck, *reject, *again, *crash;
    size_t hoard_size;
    char *hoard;
    bool is_describing;
};

/* What is written so far; what doesn't fit is left out. */
struct line {
    char text[2000];
    size_t size;
};

static const char *const PROPERTIES[] = {
    "exchange",       "routing_key", "content_type", "message_id",
    "correlation_id", "reply_to",    "type",         "app_id",
    "expiration",     "user_id",     "redelivered"};

static void wait_us(int64_t us)
{
    struct timespec rest = {us / 1000000, us % 1000000 * 1000};

    while (nanosleep(&rest, &rest) != 0)
        continue;
}

static bool begins_with(struct weir_bytes payload, const char *text)
{
    size_t size = text ? strlen(text) : 0;

    return size > 0 && payload.size >= size &&
           memcmp(payload.data, text, size) == 0;
}

static void add(struct line *line, struct weir_bytes bytes)
{
    if (!bytes.data)
        bytes = weir_str("(absent)");
    if (bytes.size > sizeof(line->text) - line->size)
        return;
    memcpy(line->text + line->size, bytes.data, bytes.size);
    line->size += bytes.size;
}

static void add_named(struct line *line, struct weir_bytes name,
                      struct weir_bytes value)
{
    add(line, weir_str(line->size > 0 ? "|" : ""));
    add(line, name);
    add(line, weir_str("="));
    add(line, value);
}

static void add_number(struct line *line, const char *name, int64_t number)
{
    char digits[24], *first = digits + sizeof(digits) - 1;
    uint64_t left = number < 0 ? 0U - (uint64_t)number : (uint64_t)number;

    *first = '\0';
    do {
        *--first = (char)('0' + left % 10U);
        left /= 10U;
    } while (left > 0U);
    if (number < 0)
        *--first = '-';
    add_named(line, weir_str(name), weir_str(first));
}

static enum weir_status describe(struct weir_message *msg)
{
    struct line line = {.size = 0};
    struct weir_bytes bytes;

    add_named(&line, weir_str("payload"), weir_message_payload(msg));
    add_named(&line, weir_str("key"), weir_message_key(msg));
    add_named(&line, weir_str("topic"), weir_str(weir_message_topic(msg)));
    add_number(&line, "partition", weir_message_partition(msg));
    add_number(&line, "offset", weir_message_offset(msg));
    add_number(&line, "attempt", weir_message_attempt(msg));
    add_number(&line, "deliveries", weir_message_deliveries(msg));
    for (size_t i = 0; i < weir_message_header_count(msg); i++) {
        struct weir_header header = weir_message_header(msg, i);

        add(&line, weir_str("|header."));
        add(&line, header.name);
        add(&line, weir_str("="));
        add(&line, header.value);
    }
    for (size_t i = 0; i < sizeof(PROPERTIES) / sizeof(*PROPERTIES); i++) {
        bytes = weir_message_property(msg, PROPERTIES[i]);
        if (bytes.data)
            add_named(&line, weir_str(PROPERTIES[i]), bytes);
    }
    bytes = (struct weir_bytes){line.text, line.size};
    return weir_message_set_payload(msg, bytes);
}

/* Touched, so that it is resident. */
static void hoard(struct witness *witness)
{
    if (witness->hoard || witness->hoard_size == 0)
        return;
    witness->hoard = malloc(witness->hoard_size);
    if (witness->hoard)
        memset(witness->hoard, 1, witness->hoard_size);
}

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    struct witness *witness = state;
    struct weir_bytes payload = weir_message_payload(msg);

    while (witness->gate && access(witness->gate, F_OK) == 0)
        wait_us(5000);
    while (begins_with(payload, witness->stuck))
        wait_us(1000000);
    if (witness->delay_us > 0)
        wait_us(witness->delay_us);
    hoard(witness);
    if (begins_with(payload, witness->crash))
        abort();
    if (begins_with(payload, witness->reject))
        return weir_message_reject(
            msg, "told to (attempt %u, delivered %u before)",
            weir_message_attempt(msg), weir_message_deliveries(msg));
    if (begins_with(payload, witness->again) && weir_message_attempt(msg) == 1)
        return WEIR_RETRY;
    return witness->is_describing ? describe(msg) : WEIR_OK;
}

static enum weir_status init(const struct weir_worker *worker,
                             const struct weir_settings *options,
                             void **ret_state, struct weir_error *err)
{
    struct witness *witness = malloc(sizeof(*witness));

    (void)worker;
    if (!witness)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    *witness = (struct witness){
        .delay_us = weir_settings_int(options, "delay", 0),
        .gate = weir_settings_string(options, "gate"),
        .stuck = weir_settings_string(options, "stuck"),
        .reject = weir_settings_string(options, "reject"),
        .again = weir_settings_string(options, "again"),
        .crash = weir_settings_string(options, "crash"),
        .hoard_size = (size_t)weir_settings_int(options, "hoard", 0),
        .is_describing = weir_settings_bool(options, "describe", false),
    };
    *ret_state = witness;
    return WEIR_OK;
}

static void terminate(void *state)
{
    struct witness *witness = state;

    free(witness->hoard);
    free(witness);
}

WEIR_HANDLER(witness, .init = init, .handle_message = handle_message,
             .terminate = terminate);
