/*
 * utf8.c - whether bytes are text.
 */
#include "utf8.h"

#include <stddef.h>
#include <stdint.h>

/* Table 3-7 of the Unicode standard: a lead byte, the range of the byte that
 * follows it, and how many follow. */
struct lead {
    unsigned char first, last, low, high;
    size_t following;
};

static const struct lead leads[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 1}, {0xE0, 0xE0, 0xA0, 0xBF, 2},
    {0xE1, 0xEC, 0x80, 0xBF, 2}, {0xED, 0xED, 0x80, 0x9F, 2},
    {0xEE, 0xEF, 0x80, 0xBF, 2}, {0xF0, 0xF0, 0x90, 0xBF, 3},
    {0xF1, 0xF3, 0x80, 0xBF, 3}, {0xF4, 0xF4, 0x80, 0x8F, 3},
};

/* How many of the bytes, eight at a time, are ASCII. */
static size_t ascii_prefix(const unsigned char *text, size_t size)
{
    size_t at = 0;

    for (; at + sizeof(uint64_t) <= size; at += sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, text + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (at < size && text[at] < 0x80)
        at++;
    return at;
}

/* The size of the character that is not ASCII at `text`, 0: it is none. */
static size_t character_size(const unsigned char *text, size_t size)
{
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++) {
        const struct lead *const lead = &leads[i];

        if (text[0] < lead->first || text[0] > lead->last)
            continue;
        if (size <= lead->following || text[1] < lead->low ||
            text[1] > lead->high)
            return 0;
        for (size_t k = 2; k <= lead->following; k++)
            if ((text[k] & 0xC0) != 0x80)
                return 0;
        return lead->following + 1;
    }
    return 0;
}

bool utf8_is_valid(struct weir_bytes bytes)
{
    const unsigned char *text = bytes.data;
    size_t left = bytes.size;

    while (left > 0) {
        size_t step = ascii_prefix(text, left);

        if (step == 0)
            step = character_size(text, left);
        if (step == 0)
            return false;
        text += step;
        left -= step;
    }
    return true;
}
