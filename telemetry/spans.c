/*
 * spans.c - spans that wait to be sent, as many as fit.
 *
 * Workers add, one thread takes all at once by exchanging two arrays.  When
 * nobody takes them, new ones are dropped and counted: a trace that is missing
 * is nothing beside a pipeline that stands.
 *
 * Threads: any, behind `lock`.
 */
#include "spans.h"

#include <stdio.h>
#include <stdlib.h>

enum weir_status spans_init(struct spans *spans, size_t limit,
                            struct weir_error *err)
{
    *spans = (struct spans){.limit = limit};
    spans->waiting = calloc(limit, sizeof *spans->waiting);
    (void)pthread_mutex_init(&spans->lock, NULL);
    return spans->waiting ? WEIR_OK : weir_fail(err, WEIR_RETRY, "no memory");
}

void spans_finish(struct spans *spans)
{
    free(spans->waiting);
    spans->waiting = NULL;
    (void)pthread_mutex_destroy(&spans->lock);
}

static void copy(const struct traced *traced, struct span_record *to)
{
    to->traced = *traced;
    to->traced.reason = NULL;
    to->is_failed = traced->reason != NULL;
    (void)snprintf(to->reason, sizeof to->reason, "%s",
                   traced->reason ? traced->reason : "");
}

void spans_add(struct spans *spans, const struct traced *traced)
{
    (void)pthread_mutex_lock(&spans->lock);
    if (spans->count < spans->limit)
        copy(traced, &spans->waiting[spans->count++]);
    else
        spans->dropped++;
    (void)pthread_mutex_unlock(&spans->lock);
}

size_t spans_take(struct spans *spans, struct span_record **empty)
{
    struct span_record *waiting;
    size_t count;

    (void)pthread_mutex_lock(&spans->lock);
    waiting = spans->waiting;
    count = spans->count;
    spans->waiting = *empty;
    spans->count = 0;
    (void)pthread_mutex_unlock(&spans->lock);
    *empty = waiting;
    return count;
}

uint64_t spans_dropped(struct spans *spans)
{
    uint64_t dropped;

    (void)pthread_mutex_lock(&spans->lock);
    dropped = spans->dropped;
    (void)pthread_mutex_unlock(&spans->lock);
    return dropped;
}
