/*
 * page.h - reading what a running weir answered, and printing it.
 *
 * What is missing, or of another kind, is empty, 0 and false: the one that
 * answers may be older or newer than the one that asks.
 */
#ifndef WEIR_CLI_PAGE_H
#define WEIR_CLI_PAGE_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

const char *page_text(const json_t *object, const char *name);
json_int_t page_number(const json_t *object, const char *name);
bool page_is_known(const json_t *object, const char *name);
bool page_is_true(const json_t *object, const char *name);

/* Calls `say` for each item of the list `name`. */
void page_each(const json_t *page, const char *name,
               void (*say)(const json_t *item, FILE *out), FILE *out);

/* Others wrote it: what a terminal would obey is escaped, as \x1b. */
void page_print(FILE *out, const char *text);

/* "orders[3]", "jobs"; and "orders[3]@42", "jobs#42". */
void page_print_source(FILE *out, const json_t *source);
void page_print_message(FILE *out, const json_t *source, json_int_t position);

struct page_span {
    char text[32];
};

/* "850 ms", "12 s", "3 min 5 s", "2 h 10 min" */
struct page_span page_span(json_int_t ms);

#endif
