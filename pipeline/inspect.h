/*
 * inspect.h - what a pipeline is doing now: for people and tools.
 *
 * One snapshot for all of them.  It reads what the stages publish, and stops
 * none: each value is whole, the set may be of several moments within half a
 * second.
 */
#ifndef WEIR_PIPELINE_INSPECT_H
#define WEIR_PIPELINE_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/pipeline.h>
#include <weir/producer.h>

#include "pipeline.h"

enum inspect_stage {
    INSPECT_PRODUCER = 0,
    INSPECT_PROCESSOR,
    INSPECT_BATCHER,
    INSPECT_SINK,
    /* must stay last */
    INSPECT_STAGE_COUNT
};

enum {
    INSPECT_TROUBLE_SIZE = 240,
    INSPECT_WHY_SIZE = 120,
    INSPECT_REASON_SIZE = 200,
    INSPECT_FAILURES = 64
};

/* The last trouble of a connection, which may be over. */
struct inspect_trouble {
    int64_t wall_ms; /* 0: none so far */
    char text[INSPECT_TROUBLE_SIZE];
};

struct inspect_producer {
    bool is_connected, is_at_end;
    const char *limit; /* why it reads nothing now: "full" (enough waits for the
                          workers), "memory", "flood", "rate", "drain",
                          "paused"; NULL: it reads */
    struct weir_ledger ledger;
    struct inspect_trouble trouble;
};

/* The oldest message of a source that is not settled, which holds its commit:
 * where it is, and for how long. */
struct inspect_oldest {
    bool exists;
    int64_t position;    /* offset, or delivery tag */
    const char *where;   /* "queue", "handler", "retry", "requeue", "batcher",
                            "sink", "sink_retry" */
    const char *batcher; /* of the last three: which one; else NULL */
    unsigned worker;     /* of "handler", "retry", "sink" and "sink_retry" */
    unsigned attempt;    /* of the handler, or of the delivery */
    int64_t there_us;    /* for how long it is there */
    int64_t oldest_us;   /* for how long it has been the oldest */
    char why[INSPECT_WHY_SIZE]; /* it failed last; "": not, or not kept */
};

/* A partition or a queue; gone when it is taken away. */
struct inspect_source {
    unsigned producer;
    const char *name;  /* topic or queue */
    int32_t partition; /* -1: none */
    uint64_t epoch;    /* how often it was taken, this time included */
    struct weir_source_facts facts;
    int64_t lag;       /* messages that are still at the broker; -1: unknown */
    int64_t behind_ms; /* while there is a lag: how old the newest message is
                          that was taken; -1: unknown */
    uint64_t open, open_bytes; /* taken and not settled */
    uint32_t waiting;          /* of them, for a worker; in ordered modes */
    const char *hold; /* why nothing more of it is read: "waiting" (for a
                         worker), "memory", "window", "drain"; NULL: it is */
    struct inspect_oldest oldest;
};

/* A worker of the processors, or of a batcher's sink. */
struct inspect_worker {
    enum inspect_stage stage; /* INSPECT_PROCESSOR, INSPECT_SINK */
    unsigned batcher;         /* of a sink: which one */
    unsigned index;           /* among those of its stage */
    bool is_over;
    uint32_t in_hand;

    /* In a callback or a call of the connector; NULL: in none. */
    const char *name; /* of the message's source */
    int32_t partition;
    int64_t position; /* offset, or delivery tag */
    int64_t for_us;

    /* Of a sink. */
    bool is_connected;
    int64_t down_us;   /* for how long it is not */
    uint32_t retrying; /* of `in_hand`: wait for their time */
    struct inspect_trouble trouble;
};

struct inspect_batcher {
    const char *name;
    uint32_t open_batches, open_messages;
    int64_t oldest_us; /* for how long its oldest batch is open; 0: none is */
    bool is_blocked;   /* a closed batch waits for a sink worker */
};

/* What waits between two stages, and who waits there. */
struct inspect_mailbox {
    enum inspect_stage from, to;
    unsigned batcher; /* which one, where one of them is a batcher */
    unsigned worker;  /* of the sink, where each has its own; else 0 */
    uint32_t messages, max_messages; /* 0: not limited by their number */
    uint32_t batches, max_batches;   /* likewise */
    size_t bytes, max_bytes;         /* likewise; the queue of the processors
                                        is limited by `memory_limit` */
    bool has_waiting_readers;        /* for something to do */
    bool has_waiting_writers;        /* for room */
};

/* A message that failed for good; never its payload. */
struct inspect_failure {
    uint64_t number; /* among all that were kept, from 1 */
    int64_t wall_ms;
    const char *name; /* of its source */
    int32_t partition;
    int64_t position;
    uint32_t attempt;
    const char *code;  /* as in the header `weir-code` of a dead letter */
    const char *stage; /* "processors", or the batcher */
    char reason[INSPECT_REASON_SIZE];
};

struct inspection {
    const char *name;
    int64_t wall_ms;
    struct pipeline_stats stats;
    size_t memory_used, memory_limit; /* of messages in flight, bytes */
    uint32_t in_backoff;              /* wait for their time, to be handled or
                                         given back */

    struct inspect_producer *producers;
    struct inspect_source *sources;
    struct inspect_worker *workers; /* processors, then sinks */
    struct inspect_batcher *batchers;
    struct inspect_mailbox *mailboxes; /* from left to right */
    size_t producer_count, source_count, worker_count, batcher_count,
        mailbox_count;

    struct inspect_failure failures[INSPECT_FAILURES]; /* the newest first */
    size_t failure_count;
};

/* A new one.  Any thread, from create() to destroy(); names in it are valid
 * until destroy().  WEIR_RETRY: no memory. */
WEIR_MUST_USE
enum weir_status pipeline_inspect(struct pipeline *pipeline,
                                  struct inspection **ret_inspection);
void inspection_destroy(struct inspection *inspection); /* NULL is fine */

#endif
