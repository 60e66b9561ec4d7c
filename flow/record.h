/*
 * record.h - a message as it was received: flat, immutable.
 */
#ifndef WEIR_FLOW_RECORD_H
#define WEIR_FLOW_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/bytes.h>
#include <weir/intake.h>

/* After the last record of an allocation so many bytes may be read. */
enum { RECORD_TAIL = 64 };

struct record {
    uint32_t size; /* of all of it, a multiple of 8 */
    uint32_t payload_size, key_at, key_size, fields_at;
    uint16_t header_count, property_count;
    uint32_t deliveries;
    uint8_t has_payload, has_key, is_omitted, is_last;
    int64_t offset, timestamp_ms;
    uint64_t omitted; /* the size of the payload that was left out */
};

/* The bytes that record_write() needs; 0: larger than a record can be. */
size_t record_size(const struct weir_record *from);

/* `at` is 8-byte aligned and has record_size() bytes. */
struct record *record_write(void *at, const struct weir_record *from);

struct weir_bytes record_payload(const struct record *record);
struct weir_bytes record_key(const struct record *record);
struct weir_header record_header(const struct record *record, size_t index);
struct weir_header record_property(const struct record *record, size_t index);

#endif
