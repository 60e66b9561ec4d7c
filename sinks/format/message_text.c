/*
 * message_text.c - a template, filled in from a message.
 *
 * Threads: any, one message each.
 */
#include "message_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "field.h"

struct lookup {
    const struct weir_message *msg;
    const char *absent;
    char number[24];
};

static struct weir_bytes print(struct lookup *lookup, int64_t number)
{
    if (number < 0)
        return weir_str(NULL);
    (void)snprintf(lookup->number, sizeof lookup->number, "%" PRId64, number);
    return weir_str(lookup->number);
}

static struct weir_bytes find(struct lookup *lookup, const char *name)
{
    const struct weir_message *msg = lookup->msg;
    const char *rest;

    switch (field_parse(name, &rest)) {
    case FIELD_TOPIC:
        return weir_str(weir_message_topic(msg));
    case FIELD_PARTITION:
        return print(lookup, weir_message_partition(msg));
    case FIELD_OFFSET:
        return print(lookup, weir_message_offset(msg));
    case FIELD_TIMESTAMP:
        return print(lookup, weir_message_timestamp_ms(msg));
    case FIELD_KEY:
        return weir_message_key(msg);
    case FIELD_BATCH_KEY:
        return weir_message_batch_key(msg);
    case FIELD_HEADER:
        return weir_message_find_header(msg, rest);
    case FIELD_PROPERTY:
        return weir_message_property(msg, rest);
    default:
        return weir_str(NULL);
    }
}

static struct weir_bytes look_up(void *opaque, const char *name)
{
    struct lookup *lookup = opaque;
    const struct weir_bytes value = find(lookup, name);

    if (!value.data && !lookup->absent)
        lookup->absent = name;
    return value;
}

size_t message_text_render(const struct template *template,
                           const struct weir_message *msg, char *out,
                           size_t size, const char **ret_absent)
{
    struct lookup lookup = {.msg = msg};
    const size_t total = template_render(template, look_up, &lookup, out, size);

    *ret_absent = lookup.absent;
    return total;
}
