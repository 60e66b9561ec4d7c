/*
 * tuning.h - what of a topology may change while it runs.
 */
#ifndef WEIR_CONFIG_TUNING_H
#define WEIR_CONFIG_TUNING_H

#include "topology.h"

/* In units of the topology: messages, bytes, microseconds; 0: none. */
enum tuning_key {
    TUNING_RATE_MESSAGES = 0,
    TUNING_RATE_BYTES,
    TUNING_RATE_INTERVAL,
    TUNING_CONCURRENCY, /* of the processors */
    TUNING_TIMEOUT,     /* likewise */
    TUNING_ATTEMPTS,
    TUNING_BACKOFF_MIN,
    TUNING_BACKOFF_MAX,
    TUNING_SHUTDOWN,
    TUNING_STALLED,
    TUNING_LOG_LEVEL, /* an enum weir_log_level */
    /* must stay last */
    TUNING_COUNT
};

/* Of each batcher. */
enum tuning_batcher_key {
    TUNING_BATCH_SIZE = 0,
    TUNING_BATCH_BYTES,
    TUNING_BATCH_TIMEOUT,
    TUNING_BATCH_KEYS,
    /* must stay last */
    TUNING_BATCHER_COUNT
};

struct tuning_batcher {
    int64_t values[TUNING_BATCHER_COUNT];
};

struct tuning {
    int64_t values[TUNING_COUNT];
    struct tuning_batcher *batchers; /* in the order of the topology */
    size_t batcher_count;
};

/* WEIR_RETRY: no memory; finish() in any case. */
WEIR_MUST_USE
enum weir_status tuning_read(const struct topology *topology,
                             struct tuning *ret_tuning);
WEIR_MUST_USE
enum weir_status tuning_copy(const struct tuning *from,
                             struct tuning *ret_tuning);
void tuning_finish(struct tuning *tuning); /* zeroed is fine */

/* Into one that has as many batchers. */
void tuning_assign(struct tuning *to, const struct tuning *from);

/* A limit without messages and bytes is none; so two of them are alike. */
void tuning_set_rate(struct tuning *tuning,
                     const struct topology_rate_limit *limit);
void tuning_rate(const struct tuning *tuning,
                 struct topology_rate_limit *ret_limit);

enum { TUNING_PATH_SIZE = 256, TUNING_TEXT_SIZE = 80 };

/* One value that differs, as the topology file would say it. */
struct tuning_change {
    char path[TUNING_PATH_SIZE]; /* "batchers.default.batch_size" */
    char from[TUNING_TEXT_SIZE], to[TUNING_TEXT_SIZE];
};

typedef void (*tuning_change_fn)(void *opaque,
                                 const struct tuning_change *change);

/* Calls `found` for each value that is another in `to`; both are of
 * `topology`, which knows the batchers' names. */
void tuning_differences(const struct topology *topology,
                        const struct tuning *from, const struct tuning *to,
                        tuning_change_fn found, void *opaque);

/* Whether that key of the file is one of these: "log.level". */
bool tuning_has_key(const char *path);
bool tuning_batcher_has_key(const char *name);

/*
 * Turns `next`, which was read from another topology, into what `running` can
 * become without a restart: its batchers by their names, and a value that may
 * not be larger than at the start as it is in `now`.  `found` is called for
 * each of those, with what they have and would have.
 */
WEIR_MUST_USE
enum weir_status tuning_fit(const struct topology *running,
                            const struct tuning *now,
                            const struct topology *next,
                            struct tuning *ret_tuning, tuning_change_fn found,
                            void *opaque);

/*
 * Whether `running` with these values would be accepted.  WEIR_REJECT: `err`
 * has the first thing that is wrong, with its key.
 */
WEIR_MUST_USE
enum weir_status tuning_check(const struct topology *running,
                              const struct tuning *tuning,
                              struct weir_error *err);

#endif
