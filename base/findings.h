/*
 * findings.h - what connectors found, until somebody reads it.
 */
#ifndef WEIR_BASE_FINDINGS_H
#define WEIR_BASE_FINDINGS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <weir/finding.h>

struct finding {
    enum weir_severity severity;
    char *where, *what;
    char *advice; /* NULL: none */
};

struct weir_findings {
    pthread_mutex_t lock;
    struct finding *list;
    size_t count, room;
    bool is_closed; /* what is added now comes too late */
    bool has_lost;  /* there was no memory for one */
};

void findings_init(struct weir_findings *findings);
void findings_finish(struct weir_findings *findings);

/* From now on nothing is added: `list` may be read, also while a thread goes on
 * asking. */
void findings_close(struct weir_findings *findings);

/* "ok", "unknown", "warning", "error" */
const char *findings_name(enum weir_severity severity);

#endif
