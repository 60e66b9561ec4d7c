/*
 * record.c - a message as it was received: flat, immutable.
 *
 *     | struct record | payload, NUL | key | fields | their bytes | pad to 8 |
 *
 * Offsets count from the record's start and no pointer is inside, so moving a
 * record is one memcpy(), and a record may be copied into another process.
 * The payload comes first, because it is what handlers read, and starts 8-byte
 * aligned.  What follows it (the rest of the record, the next one, or the
 * RECORD_TAIL bytes at the end of every allocation) may be read, so parsers
 * that look ahead are safe.
 *
 * Threads: written by the producer before anybody else sees it.
 */
#include "record.h"

#include <string.h>

enum { ABSENT = -1 };

/* One header or property: offsets of name and value in the record. */
struct field {
    uint32_t name_at, name_size, value_at;
    int32_t value_size; /* ABSENT */
};

_Static_assert(sizeof(struct record) % 8 == 0, "the payload is aligned");

static size_t align(size_t size, size_t to)
{
    return (size + to - 1) / to * to;
}

static size_t fields_size(const struct weir_header *fields, size_t count)
{
    size_t size = count * sizeof(struct field);

    for (size_t i = 0; i < count; i++)
        size += fields[i].name.size + fields[i].value.size;
    return size;
}

size_t record_size(const struct weir_record *from)
{
    size_t size = sizeof(struct record) + from->payload.size + 1;

    if (from->key.data || from->header_count + from->property_count > 0)
        size = align(size + from->key.size, 4) +
               fields_size(from->headers, from->header_count) +
               fields_size(from->properties, from->property_count);
    size = align(size, 8);
    return size > INT32_MAX || from->header_count > UINT16_MAX ||
                   from->property_count > UINT16_MAX
               ? 0
               : size;
}

/* Writes fields at `at` and their bytes at *bytes_at, which moves on. */
static void write_fields(char *base, size_t at, size_t *bytes_at,
                         const struct weir_header *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct weir_bytes name = from[i].name, value = from[i].value;
        struct field field = {.name_at = (uint32_t)*bytes_at,
                              .name_size = (uint32_t)name.size};

        if (name.data && name.size)
            memcpy(base + *bytes_at, name.data, name.size);
        *bytes_at += name.size;
        field.value_at = (uint32_t)*bytes_at;
        field.value_size = value.data ? (int32_t)value.size : ABSENT;
        if (value.data && value.size)
            memcpy(base + *bytes_at, value.data, value.size);
        *bytes_at += value.data ? value.size : 0;
        memcpy(base + at + i * sizeof field, &field, sizeof field);
    }
}

struct record *record_write(void *at, const struct weir_record *from)
{
    struct record *record = at;
    char *base = at;
    const size_t count = from->header_count + from->property_count;
    size_t used = sizeof *record;

    *record = (struct record){
        .payload_size = (uint32_t)from->payload.size,
        .header_count = (uint16_t)from->header_count,
        .property_count = (uint16_t)from->property_count,
        .deliveries = from->deliveries,
        .has_payload = from->payload.data != NULL,
        .has_key = from->key.data != NULL,
        .is_omitted = from->omitted > 0,
        .is_last = from->is_last,
        .offset = from->offset,
        .timestamp_ms = from->timestamp_ms,
        .omitted = from->omitted,
    };
    if (from->payload.data && from->payload.size)
        memcpy(base + used, from->payload.data, from->payload.size);
    used += from->payload.size;
    base[used++] = '\0';

    if (from->key.data) {
        record->key_at = (uint32_t)used;
        record->key_size = (uint32_t)from->key.size;
        if (from->key.size)
            memcpy(base + used, from->key.data, from->key.size);
        used += from->key.size;
    }
    if (count > 0) {
        size_t bytes_at;

        used = align(used, 4);
        record->fields_at = (uint32_t)used;
        bytes_at = used + count * sizeof(struct field);
        write_fields(base, used, &bytes_at, from->headers, from->header_count);
        write_fields(base, used + from->header_count * sizeof(struct field),
                     &bytes_at, from->properties, from->property_count);
        used = bytes_at;
    }
    record->size = (uint32_t)align(used, 8);
    return record;
}

struct weir_bytes record_payload(const struct record *record)
{
    const struct weir_bytes none = {NULL, 0};

    return record->has_payload
               ? (struct weir_bytes){record + 1, record->payload_size}
               : none;
}

struct weir_bytes record_key(const struct record *record)
{
    const struct weir_bytes none = {NULL, 0};

    return record->has_key
               ? (struct weir_bytes){(const char *)record + record->key_at,
                                     record->key_size}
               : none;
}

static struct weir_header field_at(const struct record *record, size_t index)
{
    const char *base = (const char *)record;
    struct weir_header header = {{NULL, 0}, {NULL, 0}};
    struct field field;

    memcpy(&field, base + record->fields_at + index * sizeof field,
           sizeof field);
    header.name = (struct weir_bytes){base + field.name_at, field.name_size};
    if (field.value_size != ABSENT)
        header.value = (struct weir_bytes){base + field.value_at,
                                           (size_t)field.value_size};
    return header;
}

struct weir_header record_header(const struct record *record, size_t index)
{
    return field_at(record, index);
}

struct weir_header record_property(const struct record *record, size_t index)
{
    return field_at(record, record->header_count + index);
}
