/*
 * demo_book.c - what became of every line of the demo, one by one.
 *
 * One byte per id.  The counters are kept along the way for the live view; the
 * final comparison doesn't trust them and counts the marks again.
 *
 * Threads: one.
 */
#include "demo_book.h"

#include <stdlib.h>

#include "demo_feed.h"

#define SENT      (1U << 0)
#define CONFIRMED (1U << 1)
#define DELIVERED (1U << 2)
#define REJECTED  (1U << 3)

struct demo_book {
    uint64_t capacity, misjudged, repeated;
    uint64_t sent, confirmed, delivered, rejected;
    unsigned char *marks;
};

struct demo_book *demo_book_create(uint64_t capacity)
{
    struct demo_book *book = calloc(1, sizeof *book);

    if (!book)
        return NULL;
    book->capacity = capacity;
    book->marks = calloc(capacity, 1);
    if (!book->marks) {
        demo_book_destroy(book);
        return NULL;
    }
    return book;
}

void demo_book_destroy(struct demo_book *book)
{
    if (!book)
        return;
    free(book->marks);
    free(book);
}

/* True when it was not there before. */
static bool set_mark(struct demo_book *book, uint64_t id, unsigned mark)
{
    if (book->marks[id] & mark)
        return false;
    book->marks[id] |= (unsigned char)mark;
    return true;
}

void demo_book_sent(struct demo_book *book, uint64_t id)
{
    if (set_mark(book, id, SENT))
        book->sent++;
}

void demo_book_confirmed(struct demo_book *book, uint64_t id)
{
    if (set_mark(book, id, CONFIRMED))
        book->confirmed++;
}

void demo_book_arrived(struct demo_book *book, uint64_t id, bool is_rejected)
{
    if (id >= book->capacity || !(book->marks[id] & SENT) ||
        is_rejected != demo_feed_is_broken(id)) {
        book->misjudged++;
        return;
    }
    if (!set_mark(book, id, is_rejected ? REJECTED : DELIVERED))
        book->repeated++;
    else if (is_rejected)
        book->rejected++;
    else
        book->delivered++;
}

void demo_book_result(const struct demo_book *book,
                      struct demo_result *ret_result)
{
    const uint64_t arrived = book->delivered + book->rejected;

    *ret_result = (struct demo_result){
        .sent = book->sent,
        .confirmed = book->confirmed,
        .delivered = book->delivered,
        .rejected = book->rejected,
        .repeated = book->repeated,
        .misjudged = book->misjudged,
        .lost = book->confirmed > arrived ? book->confirmed - arrived : 0,
    };
}

void demo_book_compare(const struct demo_book *book,
                       struct demo_result *ret_result)
{
    struct demo_result result = {.repeated = book->repeated,
                                 .misjudged = book->misjudged};

    for (uint64_t id = 0; id < book->capacity; id++) {
        const unsigned marks = book->marks[id];

        result.sent += (marks & SENT) != 0;
        result.confirmed += (marks & CONFIRMED) != 0;
        result.delivered += (marks & DELIVERED) != 0;
        result.rejected += (marks & REJECTED) != 0;
        if (!(marks & CONFIRMED) || (marks & (DELIVERED | REJECTED)))
            continue;
        if (result.lost++ == 0)
            result.first_lost = id;
    }
    *ret_result = result;
}
