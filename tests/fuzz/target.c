/*
 * target.c - what the targets share.
 */
#include "target.h"

#include <stdlib.h>
#include <string.h>

char *target_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return NULL;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}
