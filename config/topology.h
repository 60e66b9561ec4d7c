/*
 * topology.h - a checked topology, as plain data.
 *
 * What a topology file says, complete: every default filled in, every value in
 * its unit, every name resolved to a connector.  Nothing here has a thread or
 * a connection.
 */
#ifndef WEIR_CONFIG_TOPOLOGY_H
#define WEIR_CONFIG_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/handler.h>
#include <weir/producer.h>
#include <weir/settings.h>
#include <weir/share.h>
#include <weir/sink.h>

#include "log.h"

struct storage;

/* Every connector that this build has; made by cli/connectors.c. */
struct connectors {
    const struct weir_producer_ops *const *producers; /* end with NULL */
    const struct weir_sink_ops *const *sinks;
    const struct weir_handler *const *handlers; /* passthrough, ... */
};

/* Per interval; 0: not limited. */
struct topology_rate_limit {
    int64_t messages, bytes;
    int64_t interval_us;
};

struct topology_producer {
    const struct weir_producer_ops *ops;
    struct weir_settings **settings; /* one per instance, shares filled in */
    unsigned concurrency;
    const struct weir_settings *own;       /* its keys beside the connector */
    struct topology_rate_limit rate_limit; /* of all instances together */
    size_t max_message_bytes;
};

/* One of the three is set: built in, linked, or a plugin's path. */
struct topology_handler {
    const struct weir_handler *builtin;
    bool is_linked;
    const char *plugin;                  /* absolute, found */
    unsigned plugin_line, plugin_column; /* from 1; 0: by --set */
    struct weir_settings *options;
};

struct topology_processors {
    struct topology_handler handler;
    const struct weir_settings *own; /* its keys beside the handler */
    unsigned concurrency;
    enum weir_ordering ordering;
    const char *ordering_key; /* a template, NULL: the message's key */
    bool requeue_breaks_order;
    int64_t timeout_us; /* 0: none */
    unsigned max_demand, min_demand;
};

struct topology_batcher {
    const char *name;
    unsigned line, column;           /* of its name, from 1; 0: by --set */
    const struct weir_settings *own; /* its keys beside the sink */
    unsigned batch_size;
    size_t batch_bytes;
    int64_t batch_timeout_us;
    unsigned max_batch_keys, concurrency, max_in_flight;
    const struct weir_sink_ops *sink; /* NULL: handle_batch */
    struct weir_settings **settings;  /* one per sink worker; NULL likewise */
};

struct topology_failure {
    unsigned attempts; /* handler calls for one message, the first included */
    int64_t backoff_min_us, backoff_max_us;
    unsigned max_crashes; /* with `state` */
    enum weir_policy then;
    unsigned stop_percent; /* of messages that fail stop the source; 0: none */
    int64_t stop_over_us;  /* among those of so long */
};

/* What answers people and programs over HTTP. */
struct topology_admin {
    const char *listen;     /* "127.0.0.1:9464"; NULL: nothing is served */
    const char *token;      /* that changes need; NULL: there are none */
    const char *cert, *key; /* PEM files; both NULL: no TLS */
    int64_t stalled_us;     /* work, and nothing moved for so long: not ready */
};

/* Sends metrics by UDP. */
struct topology_statsd {
    const char *address; /* "localhost:8125"; NULL: nothing is sent */
    const char *prefix;  /* of all names */
    int64_t interval_us;
};

/* Sends spans to an OpenTelemetry collector. */
struct topology_traces {
    const char *endpoint;      /* a URL; NULL: nothing is sent */
    double share;              /* of messages without a trace: 0..1 */
    const char *authorization; /* the header's value, or NULL */
    const char *ca;            /* a PEM file; NULL: the system's */
    int64_t timeout_us;        /* of a request */
    unsigned queue;            /* spans that may wait */
};

struct topology_telemetry {
    struct topology_statsd statsd;
    struct topology_traces traces;
};

struct topology {
    struct storage *storage; /* all of it lives there */
    const char *name;
    const struct weir_settings *own; /* the keys that are not below */
    struct topology_producer producer;
    struct topology_processors processors;
    struct topology_batcher *batchers; /* none: messages end when handled */
    size_t batcher_count;
    bool has_dead_letter; /* the last of them is `dead_letter` */
    struct topology_failure failure;
    size_t memory;     /* bytes: in-flight chunks and client buffers together */
    const char *state; /* a folder for the journal of crashes; NULL: none */
    unsigned max_restarts; /* of all stages, within the window */
    int64_t restart_window_us;
    int64_t shutdown_timeout_us;
    struct topology_admin admin;
    struct topology_telemetry telemetry;
    enum weir_log_level log_level;
    enum log_format log_format;
    bool has_secret; /* some value of the file is one */
    bool allows_core_files;
    bool until_end;
};

/* How many batchers a message may be routed to: all but `dead_letter`. */
size_t topology_routable(const struct topology *topology);

/* NULL: there is none of that name. */
const struct topology_batcher *topology_find_batcher(
    const struct topology *topology, const char *name);

/* What a file calls them. */
extern const char *const topology_policy_names[WEIR_POLICY_COUNT];
extern const char *const topology_ordering_names[WEIR_ORDERING_COUNT];

/* One thing that is wrong, or (is_warning) surely not meant. */
struct topology_error {
    char *file;
    unsigned line, column; /* from 1; 0: not in the file, `file` is "--set" */
    char *path;            /* "batchers.default.batch_size" */
    char *text;
    bool is_warning;
};

struct topology_errors {
    struct topology_error *list;
    size_t count, error_count; /* with, and without warnings */
};

struct topology_source {
    const char *file;             /* named in errors, base of relative paths */
    const char *text;             /* NULL: `file` is read */
    const char *const *overrides; /* "batchers.default.batch_size=10", NULL
                                     ends; may be NULL */
    bool until_end;
    bool has_linked_handler;
};

/*
 * Reads, substitutes, checks.  WEIR_OK: a new topology, and `ret_errors` may
 * hold warnings.  WEIR_REJECT: every error is in `ret_errors`, in the order of
 * the file.  WEIR_RETRY: no memory.  `ret_errors` is always to be finished.
 * Connects to nothing and loads no plugin, but finds its file.
 */
WEIR_MUST_USE
enum weir_status topology_load(const struct topology_source *source,
                               const struct connectors *connectors,
                               struct topology **ret_topology,
                               struct topology_errors *ret_errors);
void topology_destroy(struct topology *topology); /* NULL is fine */

/*
 * Whether the handler, which is known later, has what the topology needs.
 * WEIR_REJECT: all that it lacks is added to `errors`.
 */
WEIR_MUST_USE
enum weir_status topology_check_handler(const struct topology *topology,
                                        const struct weir_handler *handler,
                                        const char *file,
                                        struct topology_errors *errors);
void topology_errors_finish(struct topology_errors *errors);

/* "file:line:col: path: text", into `out`; returns as snprintf(). */
int topology_error_format(const struct topology_error *error, char *out,
                          size_t size);

#endif
