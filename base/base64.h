/*
 * base64.h - bytes as text of 64 letters (RFC 4648).
 */
#ifndef WEIR_BASE_BASE64_H
#define WEIR_BASE_BASE64_H

#include <stddef.h>

/* Of `size` bytes, with padding, without a NUL. */
size_t base64_size(size_t size);

/* Writes base64_size(size) letters to `out`. */
void base64_write(char *out, const void *data, size_t size);

#endif
