/*
 * weir/bytes.h - borrowed views of memory, and headers made of two of them.
 */
#ifndef WEIR_BYTES_H
#define WEIR_BYTES_H

#include <stddef.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* data NULL: absent (a Kafka tombstone, no key); size 0: empty. */
struct weir_bytes {
    const void *data;
    size_t size;
};

/* Names repeat and are compared byte by byte; a value may be absent. */
struct weir_header {
    struct weir_bytes name, value;
};

/* The characters of a C string, borrowed; NULL is absent. */
static inline struct weir_bytes weir_str(const char *text)
{
    struct weir_bytes bytes = {text, text ? strlen(text) : 0};
    return bytes;
}

#define WEIR_STR(text) weir_str(text)

#ifdef __cplusplus
}
#endif

#endif
