/*
 * suggest.h - "did you mean ...?"
 */
#ifndef WEIR_CONFIG_SUGGEST_H
#define WEIR_CONFIG_SUGGEST_H

#include <stddef.h>

/* The best of the candidates shown to it so far. */
struct suggestion {
    const char *word; /* what was written */
    const char *best; /* NULL: nothing is near */
    size_t distance;
};

/* Zeroed but for `word` is ready.  Borrows `candidate`. */
void suggestion_offer(struct suggestion *suggestion, const char *candidate);

/* " (did you mean `x`?)", or nothing; into `out`, which is returned. */
const char *suggestion_text(const struct suggestion *suggestion, char *out,
                            size_t size);

#endif
