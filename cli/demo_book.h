/*
 * demo_book.h - what became of every line of the demo, one by one.
 */
#ifndef WEIR_CLI_DEMO_BOOK_H
#define WEIR_CLI_DEMO_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/status.h>

struct demo_book;

struct demo_result {
    uint64_t sent, confirmed, delivered, rejected;
    uint64_t repeated;   /* arrived again: at least once */
    uint64_t misjudged;  /* delivered though broken, or the other way round */
    uint64_t lost;       /* confirmed, and neither delivered nor rejected */
    uint64_t first_lost; /* the id of one of them */
};

/* For ids 0 .. capacity - 1.  NULL: no memory. */
struct demo_book *demo_book_create(uint64_t capacity);
void demo_book_destroy(struct demo_book *book); /* NULL is fine */

/* An id that was never sent counts as misjudged. */
void demo_book_sent(struct demo_book *book, uint64_t id);
void demo_book_confirmed(struct demo_book *book, uint64_t id);
void demo_book_arrived(struct demo_book *book, uint64_t id, bool is_rejected);

/* How it stands; `lost` is what is still under way. */
void demo_book_result(const struct demo_book *book,
                      struct demo_result *ret_result);

/* Goes through all ids. */
void demo_book_compare(const struct demo_book *book,
                       struct demo_result *ret_result);

#endif
