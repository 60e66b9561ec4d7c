/*
 * returned.c - a message that the broker gives back, and which one it is.
 *
 * A mandatory message that no queue takes comes back as basic.return, and is
 * confirmed afterwards like any other.  The return has no number: only what was
 * published.  So it is compared with what waits for its confirm, oldest first,
 * as its frames come:
 *
 *     basic.return   exchange and routing key are the same
 *     header         so are properties and headers, as they are encoded
 *     body           so is each part of it, else the next candidate is looked
 *                    for, whose body so far must be the old one's
 *
 * Two messages that are the same in all of this are routed alike, and which of
 * them is rejected makes no difference to anybody.  A broker with interceptors
 * may add headers on the way in; where nothing else fits, name and body decide.
 *
 * Why no header with a number: the message that is delivered would have it too.
 *
 * Threads: the sink worker's.
 */
#include "returned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Larger properties fit into no frame. */
enum { PROPERTIES_MAX = 131072 };

void returned_finish(struct returned *returned)
{
    publication_finish(&returned->candidate);
    free(returned->properties);
    *returned = (struct returned){.step = RETURNED_IDLE};
}

static size_t copy_name(char out[AMQP_NAME_MAX], amqp_bytes_t name)
{
    const size_t size = name.len < AMQP_NAME_MAX ? name.len : AMQP_NAME_MAX;

    if (size > 0)
        memcpy(out, name.bytes, size);
    return size;
}

enum weir_status returned_begin(struct returned *returned,
                                const amqp_basic_return_t *method,
                                struct weir_error *err)
{
    if (returned->step != RETURNED_IDLE)
        return weir_fail(err, WEIR_RETRY,
                         "the broker began a return inside another");
    if (!returned->properties)
        returned->properties = malloc(2 * (size_t)PROPERTIES_MAX);
    if (!returned->properties)
        return weir_fail(err, WEIR_RETRY, "no memory for a returned message");
    returned->code = method->reply_code;
    returned->text[copy_name(returned->text, method->reply_text)] = '\0';
    returned->exchange_size = copy_name(returned->exchange, method->exchange);
    returned->routing_key_size =
        copy_name(returned->routing_key, method->routing_key);
    returned->step = RETURNED_HEADER;
    return WEIR_OK;
}

static bool has_name(amqp_bytes_t name, const char *text, size_t size)
{
    return name.len == size &&
           (size == 0 || memcmp(name.bytes, text, size) == 0);
}

/* Returns the size, 0: too large. */
static size_t encode(amqp_basic_properties_t *properties, unsigned char *into)
{
    const int size = amqp_encode_properties(
        AMQP_BASIC_CLASS, properties,
        (amqp_bytes_t){.len = PROPERTIES_MAX, .bytes = into});

    return size < 0 ? 0 : (size_t)size;
}

static bool has_properties(struct returned *returned)
{
    unsigned char *own = returned->properties + PROPERTIES_MAX;
    const size_t size = encode(&returned->candidate.properties, own);

    return size == returned->properties_size &&
           memcmp(own, returned->properties, size) == 0;
}

/* Whether the candidate may be it, by all but its body's bytes. */
static bool is_like(struct returned *returned)
{
    const amqp_basic_publish_t *method = &returned->candidate.method;

    return has_name(method->exchange, returned->exchange,
                    returned->exchange_size) &&
           has_name(method->routing_key, returned->routing_key,
                    returned->routing_key_size) &&
           returned->candidate.body.size == returned->size &&
           (returned->is_alike || has_properties(returned));
}

static bool begins_with(struct weir_bytes body, size_t at, const void *part,
                        size_t size)
{
    return size == 0 ||
           memcmp((const unsigned char *)body.data + at, part, size) == 0;
}

/* The first message at or behind `tag` that is like it, and whose body so far
 * is that of the candidate before; 0: none. */
static uint64_t find(struct returned *returned,
                     const struct publication_plan *plan,
                     const struct window *window, uint64_t tag,
                     struct weir_bytes before)
{
    struct weir_message *msg;

    for (tag = window_find(window, tag, &msg); tag > 0;
         tag = window_find(window, tag + 1, &msg)) {
        if (publication_make(&returned->candidate, plan, msg, NULL) ==
                WEIR_OK &&
            is_like(returned) &&
            begins_with(returned->candidate.body, 0, before.data,
                        returned->seen))
            return tag;
    }
    return 0;
}

/* As find(), and then without the properties. */
static uint64_t find_at_all(struct returned *returned,
                            const struct publication_plan *plan,
                            const struct window *window,
                            struct weir_bytes before)
{
    uint64_t tag = 0;

    if (!returned->is_alike)
        tag = find(returned, plan, window, returned->tag + 1, before);
    else
        return find(returned, plan, window, returned->tag + 1, before);
    if (tag > 0)
        return tag;
    returned->is_alike = true;
    return find(returned, plan, window, 0, before);
}

static enum weir_status conclude(struct returned *returned,
                                 struct window *window)
{
    char reason[2 * AMQP_NAME_MAX + 100];

    (void)snprintf(reason, sizeof reason,
                   "the broker returned it (%d %s): exchange \"%.*s\" has no "
                   "queue for routing key \"%.*s\"",
                   returned->code, returned->text, (int)returned->exchange_size,
                   returned->exchange, (int)returned->routing_key_size,
                   returned->routing_key);
    window_conclude(window, returned->tag, WEIR_REJECT, reason);
    returned->step = RETURNED_IDLE;
    return WEIR_OK;
}

static enum weir_status unknown(struct weir_error *err)
{
    return weir_fail(err, WEIR_RETRY,
                     "the broker returned a message that waits for no confirm");
}

enum weir_status returned_header(struct returned *returned,
                                 const struct publication_plan *plan,
                                 struct window *window,
                                 const amqp_frame_t *frame,
                                 struct weir_error *err)
{
    const struct weir_bytes nothing = {NULL, 0};

    if (returned->step != RETURNED_HEADER)
        return weir_fail(err, WEIR_RETRY,
                         "the broker sent a header that nothing began");
    returned->size = frame->payload.properties.body_size;
    returned->seen = 0;
    returned->tag = 0;
    returned->is_alike = false;
    returned->properties_size =
        encode(frame->payload.properties.decoded, returned->properties);
    returned->tag = find_at_all(returned, plan, window, nothing);
    if (returned->tag == 0)
        return unknown(err);
    returned->step = RETURNED_BODY;
    return returned->size == 0 ? conclude(returned, window) : WEIR_OK;
}

enum weir_status returned_body(struct returned *returned,
                               const struct publication_plan *plan,
                               struct window *window, amqp_bytes_t part,
                               struct weir_error *err)
{
    if (returned->step != RETURNED_BODY ||
        part.len > returned->size - returned->seen)
        return weir_fail(err, WEIR_RETRY,
                         "the broker sent a body that nothing began");
    while (!begins_with(returned->candidate.body, returned->seen, part.bytes,
                        part.len)) {
        returned->tag =
            find_at_all(returned, plan, window, returned->candidate.body);
        if (returned->tag == 0)
            return unknown(err);
    }
    returned->seen += part.len;
    return returned->seen == returned->size ? conclude(returned, window)
                                            : WEIR_OK;
}
