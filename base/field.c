/*
 * field.c - the names that a %{...} may have.
 *
 * Threads: pure functions.
 */
#include "field.h"

#include <string.h>

static const struct {
    const char *name;
    enum field field;
} fields[] = {
    {"topic", FIELD_TOPIC},
    {"partition", FIELD_PARTITION},
    {"offset", FIELD_OFFSET},
    {"timestamp", FIELD_TIMESTAMP},
    {"key", FIELD_KEY},
    {"batch_key", FIELD_BATCH_KEY},
    {"exchange", FIELD_PROPERTY},
    {"routing_key", FIELD_PROPERTY},
    {"redelivered", FIELD_PROPERTY},
    {"content_type", FIELD_PROPERTY},
    {"content_encoding", FIELD_PROPERTY},
    {"correlation_id", FIELD_PROPERTY},
    {"reply_to", FIELD_PROPERTY},
    {"expiration", FIELD_PROPERTY},
    {"message_id", FIELD_PROPERTY},
    {"type", FIELD_PROPERTY},
    {"user_id", FIELD_PROPERTY},
    {"app_id", FIELD_PROPERTY},
    {"priority", FIELD_PROPERTY},
    {"delivery_mode", FIELD_PROPERTY},
};

static const char header[] = "header.";

enum field field_parse(const char *name, const char **ret_rest)
{
    const size_t prefix = sizeof header - 1;

    *ret_rest = "";
    if (strncmp(name, header, prefix) == 0) {
        *ret_rest = name + prefix;
        return name[prefix] != '\0' ? FIELD_HEADER : FIELD_COUNT;
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(name, fields[i].name) != 0)
            continue;
        if (fields[i].field == FIELD_PROPERTY)
            *ret_rest = name;
        return fields[i].field;
    }
    return FIELD_COUNT;
}
