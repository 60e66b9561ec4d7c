/*
 * weir/share.h - what the runtime worked out for one connector instance.
 *
 * A connector does not see the topology.  What it must know of the rest of it,
 * and its part of the memory budget, is here; open() and check() find it in
 * their settings.
 */
#ifndef WEIR_SHARE_H
#define WEIR_SHARE_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/settings.h>

#ifdef __cplusplus
extern "C" {
#endif

enum weir_ordering {
    WEIR_ORDERING_NONE = 0,
    WEIR_ORDERING_PARTITION,
    WEIR_ORDERING_KEY,
    /* must stay last */
    WEIR_ORDERING_COUNT
};

/* `failure.then`: what happens to a message that finally failed. */
enum weir_policy {
    WEIR_POLICY_REJECT = 0,
    WEIR_POLICY_REQUEUE,
    WEIR_POLICY_REQUEUE_ONCE,
    WEIR_POLICY_DROP,
    WEIR_POLICY_STOP,
    WEIR_POLICY_DEAD_LETTER, /* to the batcher `dead_letter` */
    /* must stay last */
    WEIR_POLICY_COUNT
};

struct weir_share {
    const char *pipeline;     /* the topology's name */
    unsigned index, count;    /* which instance of how many */
    size_t memory;            /* bytes that a producer's client may buffer, or
                                 that of a sink that has one; else 0 */
    size_t max_message_bytes; /* larger ones are offered as `omitted` */
    unsigned in_flight;       /* messages that keep all batches and workers of
                                 the topology full */
    unsigned largest_batch;   /* messages */
    unsigned open_batches;    /* of a sink's worker at once; else 0 */
    enum weir_ordering ordering;
    enum weir_policy policy;
    int64_t held_us; /* how long a message may take, by `failure.retry` and
                        `processors.timeout`; 0: not known */
    bool requeue_breaks_order; /* `ordering_on_requeue: accept` */
    bool until_end;            /* pull() ends with WEIR_DONE at the end */
    const char *ordering_key;  /* a template; NULL: the message's key */
    unsigned workers;          /* that run the handler */
};

WEIR_EXPORT
const struct weir_share *weir_settings_share(
    const struct weir_settings *settings);

/*
 * Only inside check(): reports that what stands at `path` ("" for the
 * connector itself) can't be used.  The text is a sentence that says what is
 * wrong and what to do; file, line and column are added.  Any number of times.
 */
WEIR_EXPORT
WEIR_PRINTF(3, 4)
void weir_settings_refuse(const struct weir_settings *settings,
                          const char *path, const char *fmt, ...);

/* Likewise, for what works but is surely not meant. */
WEIR_EXPORT
WEIR_PRINTF(3, 4)
void weir_settings_warn(const struct weir_settings *settings, const char *path,
                        const char *fmt, ...);

#ifdef __cplusplus
}
#endif

#endif
