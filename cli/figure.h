/*
 * figure.h - a number as people read it: 1,234,567.
 */
#ifndef WEIR_CLI_FIGURE_H
#define WEIR_CLI_FIGURE_H

#include <stdint.h>

struct figure {
    char text[28]; /* the largest has 20 digits and 6 commas */
};

/* Written into `figure`, and returned. */
const char *figure(struct figure *figure, uint64_t value);

#endif
