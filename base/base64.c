/*
 * base64.c - bytes as text of 64 letters (RFC 4648).
 *
 * Threads: any; nothing is kept.
 */
#include "base64.h"

size_t base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

void base64_write(char *out, const void *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *const bytes = data;

    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const unsigned second = left > 1 ? bytes[i + 1] : 0;
        const unsigned third = left > 2 ? bytes[i + 2] : 0;
        const unsigned word = (unsigned)bytes[i] << 16 | second << 8 | third;

        *out++ = digits[word >> 18];
        *out++ = digits[word >> 12 & 63];
        *out++ = '=';
        *out++ = '=';
        if (left > 1)
            out[-2] = digits[word >> 6 & 63];
        if (left > 2)
            out[-1] = digits[word & 63];
    }
}
