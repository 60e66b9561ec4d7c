/*
 * plain.c - texts of others as UTF-8, which JSON and metrics are.
 */
#include "plain.h"

static void replace(const char *text, char *out, size_t size)
{
    size_t used = 0;

    for (; text[used] != '\0' && used < size - 1; used++) {
        out[used] = text[used];
        if ((unsigned char)text[used] > 127)
            out[used] = '?';
    }
    out[used] = '\0';
}

const char *plain_utf8(const char *text, char *out, size_t size)
{
    json_t *json = json_string(text); /* which checks it */

    json_decref(json);
    if (json)
        return text;
    replace(text, out, size);
    return out;
}

json_t *plain_json(const char *text)
{
    char out[1024];

    return json_string_nocheck(plain_utf8(text, out, sizeof out));
}
