/*
 * top_view.h - what `weir top` shows, as lines of text.
 */
#ifndef WEIR_CLI_TOP_VIEW_H
#define WEIR_CLI_TOP_VIEW_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

/* What was counted when it was looked at last; zeroed: never. */
struct top_before {
    int64_t at_us;
    json_int_t received, done, rejected;
};

/* `page` is /api/v1/explain, `ledger` /api/v1/ledger; rates are those since
 * `before`, which becomes what is counted now. */
void top_view(const json_t *page, const json_t *ledger, int64_t now_us,
              struct top_before *before, FILE *out);

#endif
