/*
 * exposition.h - the text form in which Prometheus reads metrics.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#ifndef WEIR_ADMIN_EXPOSITION_H
#define WEIR_ADMIN_EXPOSITION_H

#include <stdio.h>

#include "metrics.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct exposition {
    FILE *out;
    const char *family; /* whose samples are written; NULL: none yet */
};

/* Writes what it is told to `exposition`, which is borrowed. */
struct metrics_form exposition_form(struct exposition *exposition);

#endif
