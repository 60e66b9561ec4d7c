/*
 * suggest.c - "did you mean ...?"
 *
 * The distance is the number of single-character insertions, deletions,
 * substitutions and swaps of neighbours between two words.
 */
#include "suggest.h"

#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 40 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Of two words shorter than WORD_MAX. */
static size_t word_distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    const size_t a_size = strlen(a), b_size = strlen(b);

    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;

            row[j] =
                least(least(above[j], row[j - 1]) + 1, above[j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], rows[(i + 1) % 3][j - 2] + 1);
        }
    }
    return rows[a_size % 3][b_size];
}

void suggestion_offer(struct suggestion *suggestion, const char *candidate)
{
    const size_t size = strlen(suggestion->word);
    const size_t limit = size < 3 ? 1 : least(size / 3 + 1, 4);
    size_t distance;

    if (size >= WORD_MAX || strlen(candidate) >= WORD_MAX)
        return;
    distance = word_distance(suggestion->word, candidate);
    if (distance > limit || distance >= strlen(candidate))
        return;
    if (!suggestion->best || distance < suggestion->distance) {
        suggestion->best = candidate;
        suggestion->distance = distance;
    }
}

const char *suggestion_text(const struct suggestion *suggestion, char *out,
                            size_t size)
{
    out[0] = '\0';
    if (suggestion->best)
        (void)snprintf(out, size, " (did you mean `%s`?)", suggestion->best);
    return out;
}
