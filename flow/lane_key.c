/*
 * lane_key.c - which messages share a lane.
 *
 * Threads: the producer's.
 */
#include "lane_key.h"

#include <stdio.h>
#include <string.h>

#include "hash.h"

struct lookup {
    const struct weir_record *record;
    const struct origin *origin;
    char number[16];
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

static struct weir_bytes look_up(void *opaque, const char *name)
{
    struct lookup *lookup = opaque;
    const struct weir_record *record = lookup->record;

    if (strcmp(name, "topic") == 0)
        return weir_str(lookup->origin->topic);
    if (strcmp(name, "key") == 0)
        return record->key;
    if (strcmp(name, "partition") == 0) {
        (void)snprintf(lookup->number, sizeof lookup->number, "%d",
                       (int)lookup->origin->partition);
        return weir_str(lookup->number);
    }
    if (strncmp(name, "header.", 7) == 0)
        return find_last(record->headers, record->header_count, name + 7);
    return find_last(record->properties, record->property_count, name);
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
