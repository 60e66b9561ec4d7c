/*
 * verb.h - what one verb of the command is.
 */
#ifndef WEIR_CLI_VERB_H
#define WEIR_CLI_VERB_H

#include <stddef.h>

#include <weir/handler.h>

struct argument; /* arguments.h */

/* Beside those of pipeline/pipeline.h. */
enum verb_exit {
    VERB_EXIT_OK = 0,
    VERB_EXIT_FAILED = 1, /* none of the others: a full disk, no memory */
    VERB_EXIT_USAGE = 64,
    VERB_EXIT_UNAVAILABLE = 69,
    VERB_EXIT_CONFIG = 78
};

/* One call of the command; argv[0] is the verb. */
struct call {
    int argc;
    char *const *argv;
    const struct weir_handler *linked; /* NULL: none */
};

struct verb {
    const char *name;
    const char *operands; /* for people: "FILE", "" */
    const char *summary;  /* one line, for the list of verbs */
    const char *text;     /* what --help says beyond the options; or NULL */
    const char *example;  /* whole lines, indented by two */
    const struct argument *options; /* NULL: none */
    size_t operand_min, operand_max;
    int (*run)(const struct verb *verb, const struct call *call);
};

extern const struct verb verb_cc, verb_check, verb_demo, verb_describe,
    verb_explain, verb_graph, verb_health, verb_list, verb_new, verb_run,
    verb_tap, verb_top, verb_try, verb_version;

#endif
