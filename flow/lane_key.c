/*
 * lane_key.c - which messages share a lane.
 *
 * Threads: the producer's.
 */
#include "lane_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "field.h"
#include "hash.h"

struct lookup {
    const struct weir_record *record;
    const struct origin *origin;
    char number[24];
};

static struct weir_bytes find_last(const struct weir_header *fields,
                                   size_t count, const char *name)
{
    const struct weir_bytes none = {NULL, 0};
    const size_t size = strlen(name);

    for (size_t i = count; i > 0; i--) {
        if (fields[i - 1].name.size == size &&
            memcmp(fields[i - 1].name.data, name, size) == 0)
            return fields[i - 1].value;
    }
    return none;
}

/* -1: absent. */
static struct weir_bytes print(struct lookup *lookup, int64_t number)
{
    if (number < 0)
        return weir_str(NULL);
    (void)snprintf(lookup->number, sizeof lookup->number, "%" PRId64, number);
    return weir_str(lookup->number);
}

static struct weir_bytes look_up(void *opaque, const char *name)
{
    struct lookup *lookup = opaque;
    const struct weir_record *record = lookup->record;
    const char *rest;

    switch (field_parse(name, &rest)) {
    case FIELD_TOPIC:
        return weir_str(lookup->origin->topic);
    case FIELD_PARTITION:
        return print(lookup, lookup->origin->partition);
    case FIELD_OFFSET:
        return print(lookup, record->offset);
    case FIELD_TIMESTAMP:
        return print(lookup, record->timestamp_ms);
    case FIELD_KEY:
        return record->key;
    case FIELD_HEADER:
        return find_last(record->headers, record->header_count, rest);
    case FIELD_PROPERTY:
        return find_last(record->properties, record->property_count, rest);
    default:
        return weir_str(NULL);
    }
}

uint64_t lane_key_of(struct weir_intake *intake, const struct epoch *epoch,
                     const struct weir_record *record)
{
    const uint64_t origin = epoch->origin->hash;
    struct weir_bytes key = record->key;
    char rendered[1024];

    if (intake->run->ordering != WEIR_ORDERING_KEY)
        return origin;
    if (intake->ordering_key) {
        struct lookup lookup = {.record = record, .origin = epoch->origin};
        const size_t size = template_render(intake->ordering_key, look_up,
                                            &lookup, rendered, sizeof rendered);

        key.data = size > 0 ? rendered : NULL;
        key.size = size < sizeof rendered ? size : sizeof rendered;
    }
    if (!key.data)
        return hash_bytes(&origin, sizeof origin, ++intake->unkeyed);
    return hash_bytes(key.data, key.size, origin);
}
