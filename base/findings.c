/*
 * findings.c - what connectors found, until somebody reads it.
 *
 * Threads: weir_findings_add() by the one that asks, all else by the one that
 * waits for it; `lock` guards the list until findings_close().
 */
#include "findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[WEIR_SEVERITY_COUNT] = {
    [WEIR_SEVERITY_OK] = "ok",
    [WEIR_SEVERITY_UNKNOWN] = "unknown",
    [WEIR_SEVERITY_WARNING] = "warning",
    [WEIR_SEVERITY_ERROR] = "error",
};

void findings_init(struct weir_findings *findings)
{
    *findings = (struct weir_findings){.list = NULL};
    pthread_mutex_init(&findings->lock, NULL);
}

static void finding_finish(struct finding *finding)
{
    free(finding->where);
    free(finding->what);
    free(finding->advice);
}

void findings_finish(struct weir_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        finding_finish(&findings->list[i]);
    free(findings->list);
    pthread_mutex_destroy(&findings->lock);
}

void findings_close(struct weir_findings *findings)
{
    pthread_mutex_lock(&findings->lock);
    findings->is_closed = true;
    pthread_mutex_unlock(&findings->lock);
}

/* False: there is no memory for another one. */
static bool make_room_locked(struct weir_findings *findings)
{
    const size_t room = findings->room ? 2 * findings->room : 16;
    struct finding *list;

    if (findings->count < findings->room)
        return true;
    list = realloc(findings->list, room * sizeof(*list));
    if (!list)
        return false;
    findings->list = list;
    findings->room = room;
    return true;
}

/* Takes what `finding` holds. */
static void append(struct weir_findings *findings, struct finding finding,
                   bool is_whole)
{
    bool is_taken = false;

    pthread_mutex_lock(&findings->lock);
    if (!findings->is_closed) {
        is_taken = is_whole && make_room_locked(findings);
        if (is_taken)
            findings->list[findings->count++] = finding;
        findings->has_lost = findings->has_lost || !is_taken;
    }
    pthread_mutex_unlock(&findings->lock);
    if (!is_taken)
        finding_finish(&finding);
}

void weir_findings_add(struct weir_findings *findings,
                       enum weir_severity severity, const char *where,
                       const char *advice, const char *fmt, ...)
{
    struct finding finding = {.severity = severity,
                              .where = strdup(where),
                              .advice = advice ? strdup(advice) : NULL};
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&finding.what, fmt, args) < 0)
        finding.what = NULL;
    va_end(args);
    append(findings, finding,
           finding.where && finding.what && (finding.advice || !advice));
}

const char *findings_name(enum weir_severity severity)
{
    return names[severity];
}
