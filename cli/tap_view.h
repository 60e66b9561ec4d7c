/*
 * tap_view.h - a message of /api/v1/tap, for people.
 */
#ifndef WEIR_CLI_TAP_VIEW_H
#define WEIR_CLI_TAP_VIEW_H

#include <stdio.h>

#include <jansson.h>

/* A line, and one each for its key and its payload where they are there. */
void tap_view(const json_t *message, FILE *out);

#endif
