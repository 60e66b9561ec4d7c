/*
 * load_support.h - loads a topology's text and says what was wrong with it.
 */
#ifndef WEIR_TESTS_LOAD_SUPPORT_H
#define WEIR_TESTS_LOAD_SUPPORT_H

#include <stddef.h>

#include "fake_connectors.h"
#include "topology.h"

/* The end of every topology that is about something else. */
#define REST                                                                   \
    "processors: { handler: passthrough }\n"                                   \
    "failure: { then: drop }\n"
#define COUNTER "name: t\nproducer: counter\n"

/* What load_text() made; finish it. */
struct loaded {
    enum weir_status status;
    struct topology *topology; /* NULL: refused */
    struct topology_errors errors;
    char text[8192]; /* all errors, one a line */
};

/* The file is called /conf/t.yaml. */
void load_text(struct loaded *loaded, const char *text);
void load_with(struct loaded *loaded, const struct topology_source *source);
void loaded_finish(struct loaded *loaded);

/* The text must be refused with exactly these lines; accepted, without a
 * warning. */
void assert_refused(const char *text, const char *errors);
void assert_accepted(const char *text);

/* Likewise, where the rest of a longer text doesn't matter. */
void assert_mentions(const char *text, const char *part);

#endif
