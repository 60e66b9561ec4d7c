/*
 * weir/finding.h - what a connector found when it asked its broker.
 */
#ifndef WEIR_FINDING_H
#define WEIR_FINDING_H

#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum weir_severity {
    WEIR_SEVERITY_OK = 0,  /* asked, and as it should be */
    WEIR_SEVERITY_UNKNOWN, /* it can't be asked */
    WEIR_SEVERITY_WARNING, /* it will run, and is surely not meant */
    WEIR_SEVERITY_ERROR,   /* it will not work */
    /* must stay last */
    WEIR_SEVERITY_COUNT
};

struct weir_findings; /* opaque: base/findings.c */

/*
 * `where`: of what, as in "topic orders"; `advice`: what to do, as a sentence
 * without its full stop, or NULL; the text: what is so.  No secret in any of
 * them.  Only inside probe(), on its thread.
 */
WEIR_EXPORT
WEIR_PRINTF(5, 6)
void weir_findings_add(struct weir_findings *findings,
                       enum weir_severity severity, const char *where,
                       const char *advice, const char *fmt, ...);

#ifdef __cplusplus
}
#endif

#endif
