/*
 * demo_view.h - what the demo shows while it runs.
 */
#ifndef WEIR_CLI_DEMO_VIEW_H
#define WEIR_CLI_DEMO_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <weir/status.h>

struct demo_view;

/* One moment of it. */
struct demo_sight {
    int64_t elapsed_us, length_us; /* since the first message */
    uint64_t sent, confirmed, delivered, rejected, in_flight;
    bool is_broker_up, is_started;
};

/* On a terminal a block that is redrawn, elsewhere one line a second.  NULL:
 * no memory. */
struct demo_view *demo_view_create(FILE *out, bool is_terminal);
void demo_view_destroy(struct demo_view *view); /* NULL is fine */

/* Something happened: a line that stays. */
WEIR_PRINTF(2, 3)
void demo_view_say(struct demo_view *view, const char *fmt, ...);

/* May be called at any rate; draws when it is time to. */
void demo_view_show(struct demo_view *view, const struct demo_sight *sight);

#endif
