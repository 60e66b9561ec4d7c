/*
 * window.h - what was published on one channel and is not confirmed.
 */
#ifndef WEIR_SINKS_AMQP_WINDOW_H
#define WEIR_SINKS_AMQP_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/batch.h>

struct window; /* one per channel */

/* At most `capacity` at a time.  NULL when out of memory. */
struct window *window_create(size_t capacity);
void window_destroy(struct window *window); /* NULL is fine */

size_t window_open_count(const struct window *window); /* unconfirmed */
bool window_is_full(const struct window *window);

/* The next sequence number is this message's; `position` is where it ends in
 * what is written.  Not when full. */
void window_begin(struct window *window, struct weir_batch *batch, size_t index,
                  uint64_t position);

enum window_verdict { WINDOW_ACK = 0, WINDOW_NACK };

/*
 * The broker confirmed `tag`, and with `multiple` all before it: each that has
 * no outcome is delivered, or to be tried again.  `written`: how far the broker
 * can have read. WEIR_RETRY: there is no such tag, or it was confirmed before;
 * nothing was done.
 */
WEIR_MUST_USE
enum weir_status window_confirm(struct window *window, uint64_t tag,
                                bool multiple, uint64_t written,
                                enum window_verdict verdict,
                                struct weir_error *err);

/* The first message without an outcome at or behind `tag`; 0: there is none. */
uint64_t window_find(const struct window *window, uint64_t tag,
                     struct weir_message **ret_msg);

/* The outcome of one that window_find() found; its confirm is still to come. */
void window_conclude(struct window *window, uint64_t tag,
                     enum weir_status outcome, const char *reason);

/* How many outcomes were set so far, and how many confirms came. */
uint64_t window_concluded(const struct window *window);
uint64_t window_confirmed(const struct window *window);

#endif
