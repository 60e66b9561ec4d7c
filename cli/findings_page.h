/*
 * findings_page.h - what was found, for people and for programs.
 */
#ifndef WEIR_CLI_FINDINGS_PAGE_H
#define WEIR_CLI_FINDINGS_PAGE_H

#include <stdio.h>

#include "inquiry.h"
#include "topology.h"

/* All that `weir check` knows of one file. */
struct findings_page {
    const char *file;
    const struct topology_errors *errors;
    const char *refusal; /* of the plugin or the handler; NULL: none */
    const struct inquiry *inquiry; /* NULL: nobody was asked */
};

/* How many findings of the inquiry are as severe. */
size_t findings_page_count(const struct inquiry *inquiry,
                           enum weir_severity severity);

/* A line for each finding of the inquiry, and one that counts them. */
void findings_page_text(const struct findings_page *page, FILE *out);

/* One object, with what is wrong with the file too.  WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status findings_page_json(const struct findings_page *page,
                                    FILE *out);

#endif
