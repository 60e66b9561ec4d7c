/*
 * wordlist.c - "a, b, c" for people, "a|b|c" in tables.
 */
#include "wordlist.h"

#include <string.h>

static void append(char *out, size_t size, struct weir_bytes piece)
{
    const size_t used = strlen(out);
    const size_t room = size - used - 1;
    const size_t fits = piece.size < room ? piece.size : room;

    memcpy(out + used, piece.data, fits);
    out[used + fits] = '\0';
}

void wordlist_append(char *out, size_t size, struct weir_bytes word)
{
    if (out[0] != '\0')
        append(out, size, WEIR_STR(", "));
    append(out, size, word);
}

bool wordlist_next(const char **cursor, struct weir_bytes *ret_word)
{
    const char *word = *cursor;

    if (!word || *word == '\0')
        return false;
    *ret_word = (struct weir_bytes){word, strcspn(word, "|")};
    *cursor = word + ret_word->size;
    if (**cursor == '|')
        (*cursor)++;
    return true;
}

bool wordlist_has(const char *list, const char *text)
{
    struct weir_bytes word;

    while (wordlist_next(&list, &word)) {
        if (strlen(text) == word.size &&
            memcmp(word.data, text, word.size) == 0)
            return true;
    }
    return false;
}
