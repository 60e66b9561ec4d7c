/*
 * explain.h - what holds a run up, in words.
 */
#ifndef WEIR_CLI_EXPLAIN_H
#define WEIR_CLI_EXPLAIN_H

#include <stdio.h>

#include <jansson.h>

/* `page` is /api/v1/explain. */
void explain(const json_t *page, FILE *out);

#endif
