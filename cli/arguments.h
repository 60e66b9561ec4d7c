/*
 * arguments.h - a verb's options and operands, read by a table.
 */
#ifndef WEIR_CLI_ARGUMENTS_H
#define WEIR_CLI_ARGUMENTS_H

#include <stdio.h>

#include "verb.h"

enum argument_type {
    ARGUMENT_FLAG = 0, /* bool */
    ARGUMENT_TEXT,     /* const char * */
    ARGUMENT_TEXTS,    /* struct argument_texts: may be repeated */
    ARGUMENT_DURATION, /* int64_t, microseconds */
    ARGUMENT_INT,      /* int64_t */
    /* must stay last */
    ARGUMENT_TYPE_COUNT
};

struct argument {
    const char *name;  /* "--report"; NULL ends the table */
    const char *value; /* for people: "FILE"; NULL of a flag */
    enum argument_type type;
    size_t offset; /* of its value in the verb's own struct */
    const char *help;
};

enum { ARGUMENT_TEXTS_MAX = 64 };

struct argument_texts {
    const char *list[ARGUMENT_TEXTS_MAX + 1]; /* NULL ends */
    size_t count;
};

/*
 * Fills in `values`, which holds the defaults, and the operands.  What is wrong
 * is said on standard error; then WEIR_REJECT: exit with VERB_EXIT_USAGE.
 */
WEIR_MUST_USE
enum weir_status arguments_parse(const struct verb *verb,
                                 const struct call *call, void *values,
                                 struct argument_texts *ret_operands);

/* "weir run: <sentence>", and where to find help; VERB_EXIT_USAGE. */
WEIR_PRINTF(2, 3)
int usage_error(const struct verb *verb, const char *fmt, ...);

/* What --help prints. */
void verb_help(const struct verb *verb, FILE *out);

#endif
