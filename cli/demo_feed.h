/*
 * demo_feed.h - access log lines for the demo, some of them broken.
 */
#ifndef WEIR_CLI_DEMO_FEED_H
#define WEIR_CLI_DEMO_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEMO_FEED_LINE_MAX = 512 };

/* Whether line `id` is one that the handler must reject. */
bool demo_feed_is_broken(uint64_t id);

/* Line `id`, the same one each time, without a newline, into `out` of
 * DEMO_FEED_LINE_MAX bytes; returns its length. */
size_t demo_feed_line(uint64_t id, char *out);

#endif
