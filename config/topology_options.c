/*
 * topology_options.c - the topology file's own keys, as tables.
 *
 * `choices` of a number are words that stand for it ("auto"); of an option that
 * is READER_ELSEWHERE it is what a reader is told of its type.
 */
#include "topology_options.h"

#include "reader.h"

#define MIB         (INT64_C(1024) * 1024)
#define SECOND      INT64_C(1000000)
#define DAY         (INT64_C(86400) * SECOND)
#define MILLISECOND INT64_C(1000)

static const struct weir_option shutdown_options[] = {
    {.name = "timeout",
     .type = WEIR_OPTION_DURATION,
     .fallback = "30s",
     .min = 100 * MILLISECOND,
     .max = DAY,
     .help = "How long a drain may take; what is left then is abandoned."},
    {0},
};

static const struct weir_option supervision_options[] = {
    {.name = "max_restarts",
     .type = WEIR_OPTION_INT,
     .fallback = "3",
     .min = 0,
     .max = 100, /* SUPERVISION_MAX_RESTARTS */
     .help = "How many connectors that failed for good may be replaced within "
             "max_seconds; one more ends the run."},
    {.name = "max_seconds",
     .type = WEIR_OPTION_DURATION,
     .fallback = "5s",
     .min = 100 * MILLISECOND,
     .max = DAY,
     .help = "The time that max_restarts is per."},
    {0},
};

static const struct weir_option log_options[] = {
    {.name = "format",
     .type = WEIR_OPTION_CHOICE,
     .fallback = "auto",
     .choices = "auto|text|json",
     .help = "How log lines on standard error are written; auto is text on a "
             "terminal, JSON elsewhere."},
    {.name = "level",
     .type = WEIR_OPTION_CHOICE,
     .fallback = "info",
     .choices = "debug|info|warning|error",
     .help = "The least important log line that is written."},
    {0},
};

static const struct weir_option admin_tls_options[] = {
    {.name = "cert",
     .type = WEIR_OPTION_PATH,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "File with the server's certificate, and those between it and the "
             "authority, as PEM."},
    {.name = "key",
     .type = WEIR_OPTION_PATH,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "File with the certificate's private key, as PEM."},
    {0},
};

static const struct weir_option admin_options[] = {
    {.name = "listen",
     .type = WEIR_OPTION_STRING,
     .fallback = "127.0.0.1:9464",
     .help = "Address and port; port 0 is any that is free, and a port alone "
             "is on 127.0.0.1."},
    {.name = "token",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_SECRET,
     .help = "What a request that changes something must carry, 16 characters "
             "at least; without one nothing can be changed."},
    {.name = "tls",
     .type = WEIR_OPTION_GROUP,
     .children = admin_tls_options,
     .help = "Served as HTTPS; by default as HTTP."},
    {.name = "stalled_after",
     .type = WEIR_OPTION_DURATION,
     .fallback = "60s",
     .min = SECOND,
     .max = DAY,
     .help = "There is work and nothing moved for so long, beyond what batches "
             "and retries wait for: not ready."},
    {0},
};

static const struct weir_option statsd_options[] = {
    {.name = "address",
     .type = WEIR_OPTION_STRING,
     .fallback = "localhost:8125",
     .help = "Host and port of the receiver."},
    {.name = "prefix",
     .type = WEIR_OPTION_STRING,
     .fallback = "weir",
     .help = "What names begin with: weir_retries_total is sent as "
             "PREFIX.retries."},
    {.name = "interval",
     .type = WEIR_OPTION_DURATION,
     .fallback = "10s",
     .min = 100 * MILLISECOND,
     .max = DAY,
     .help = "How often it is sent."},
    {0},
};

static const struct weir_option traces_options[] = {
    {.name = "endpoint",
     .type = WEIR_OPTION_STRING,
     .fallback = "http://localhost:4318/v1/traces",
     .help = "URL of the collector."},
    {.name = "sample",
     .type = WEIR_OPTION_STRING,
     .fallback = "1%",
     .help = "The share of messages without a trace of their own that begin "
             "one; those with one are sampled if it is."},
    {.name = "authorization",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_SECRET,
     .help = "The value of the header Authorization, as in `Bearer TOKEN`."},
    {.name = "ca",
     .type = WEIR_OPTION_PATH,
     .help = "File with the authorities that the collector's certificate may "
             "be from, as PEM; the system's by default."},
    {.name = "timeout",
     .type = WEIR_OPTION_DURATION,
     .fallback = "5s",
     .min = 100 * MILLISECOND,
     .max = 60 * SECOND,
     .help = "How long the collector may take to answer."},
    {.name = "queue",
     .type = WEIR_OPTION_INT,
     .fallback = "4096",
     .min = 64,
     .max = 65536,
     .help = "How many spans may wait; more are dropped, and counted."},
    {0},
};

static const struct weir_option telemetry_options[] = {
    {.name = "traces",
     .type = WEIR_OPTION_GROUP,
     .children = traces_options,
     .help =
         "Sends spans of sampled messages to an OpenTelemetry collector, by "
         "OTLP over HTTP; where it isn't written none are made."},
    {.name = "statsd",
     .type = WEIR_OPTION_GROUP,
     .children = statsd_options,
     .help = "Sends what /metrics shows to StatsD, by UDP, with tags; where it "
             "isn't written nothing is sent."},
    {0},
};

static const struct weir_option backoff_options[] = {
    {.name = "min",
     .type = WEIR_OPTION_DURATION,
     .fallback = "100ms",
     .min = MILLISECOND,
     .max = DAY,
     .help = "The longest wait before the second attempt; it doubles with "
             "each one."},
    {.name = "max",
     .type = WEIR_OPTION_DURATION,
     .fallback = "30s",
     .min = MILLISECOND,
     .max = DAY,
     .help = "The longest wait before any attempt."},
    {0},
};

static const struct weir_option retry_options[] = {
    {.name = "attempts",
     .type = WEIR_OPTION_INT,
     .fallback = "5",
     .min = 1,
     .max = 1000000,
     .help = "How often the handler is called for one message, the first call "
             "included."},
    {.name = "backoff",
     .type = WEIR_OPTION_GROUP,
     .children = backoff_options,
     .help = "How long a message waits before its next attempt."},
    {0},
};

static const struct weir_option failure_options[] = {
    {.name = "retry",
     .type = WEIR_OPTION_GROUP,
     .children = retry_options,
     .help = "What happens before a message has finally failed."},
    {.name = "then",
     .type = WEIR_OPTION_CHOICE,
     .flags = WEIR_OPTION_REQUIRED,
     .choices = "dead_letter|reject|requeue|requeue_once|drop|stop",
     .help = "What happens to a message that finally failed; there is no "
             "default."},
    {.name = "stop_above",
     .type = WEIR_OPTION_STRING,
     .help = "When more than this share of messages fails, as in 50% over 1m, "
             "the source stops until fewer do; by default it doesn't."},
    {.name = "max_crashes",
     .type = WEIR_OPTION_INT,
     .fallback = "3",
     .min = 1,
     .max = 1000,
     .help = "With `state`: a message that took the process down so often, "
             "handled alone, fails."},
    {0},
};

const struct weir_option topology_top_options[] = {
    {.name = "name",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "The name of the pipeline, in logs and at the broker."},
    {.name = "producer",
     .flags = WEIR_OPTION_REQUIRED | READER_ELSEWHERE,
     .choices = "mapping",
     .help = "Where messages come from."},
    {.name = "processors",
     .flags = WEIR_OPTION_REQUIRED | READER_ELSEWHERE,
     .choices = "mapping",
     .help = "What handles each message."},
    {.name = "batchers",
     .flags = READER_ELSEWHERE,
     .choices = "mapping of names",
     .help = "What collects messages into batches, and where those go; "
             "without any, a message ends when it is handled."},
    {.name = "failure",
     .type = WEIR_OPTION_GROUP,
     .flags = WEIR_OPTION_REQUIRED,
     .children = failure_options,
     .help = "What happens to messages that fail."},
    {.name = "memory",
     .type = WEIR_OPTION_SIZE,
     .fallback = "auto",
     .min = 8 * MIB,
     .max = INT64_C(1048576) * MIB,
     .choices = "auto",
     .help = "What messages in flight and in the clients' buffers may use "
             "together; auto is half of the cgroup's limit, 256MiB without "
             "one."},
    {.name = "state",
     .type = WEIR_OPTION_PATH,
     .help = "A folder that outlives the process, for the journal of which "
             "messages took it down; none is kept by default."},
    {.name = "core_files",
     .type = WEIR_OPTION_BOOL,
     .fallback = "false",
     .help = "Whether a crash may leave a core file, and a debugger attach, "
             "though the topology holds a secret; both hold all of memory."},
    {.name = "shutdown",
     .type = WEIR_OPTION_GROUP,
     .children = shutdown_options,
     .help = "How the pipeline stops."},
    {.name = "supervision",
     .type = WEIR_OPTION_GROUP,
     .children = supervision_options,
     .help = "When to give up replacing what failed; trouble that passes never "
             "counts."},
    {.name = "admin",
     .type = WEIR_OPTION_GROUP,
     .children = admin_options,
     .help = "Health, metrics and changes over HTTP; where it isn't written "
             "nothing is served."},
    {.name = "telemetry",
     .type = WEIR_OPTION_GROUP,
     .children = telemetry_options,
     .help = "To whom a run tells of itself, without being asked."},
    {.name = "log",
     .type = WEIR_OPTION_GROUP,
     .children = log_options,
     .help = "What is logged, and how."},
    {0},
};

static const struct weir_option rate_limit_options[] = {
    {.name = "messages",
     .type = WEIR_OPTION_INT,
     .min = 1,
     .max = 1000000000,
     .help = "How many messages per interval."},
    {.name = "bytes",
     .type = WEIR_OPTION_SIZE,
     .min = 1,
     .max = INT64_C(1048576) * MIB,
     .help = "How many bytes per interval: payloads, keys and headers."},
    {.name = "interval",
     .type = WEIR_OPTION_DURATION,
     .fallback = "1s",
     .min = MILLISECOND,
     .max = DAY,
     .help = "The time that messages and bytes are per."},
    {0},
};

const struct weir_option topology_producer_options[] = {
    {.name = "concurrency",
     .type = WEIR_OPTION_INT,
     .fallback = "1",
     .min = 1,
     .max = 64, /* RUN_MAX_HOMES */
     .help = "How many instances, each with a connection and a thread of its "
             "own."},
    {.name = "max_message_bytes",
     .type = WEIR_OPTION_SIZE,
     .fallback = "1MiB",
     .min = 1,
     .max = 1024 * MIB,
     .help = "A larger message never reaches the handler: it fails."},
    {.name = "rate_limit",
     .type = WEIR_OPTION_GROUP,
     .children = rate_limit_options,
     .help = "What all instances together may take in; no limit by default."},
    {0},
};

const struct weir_option topology_processors_options[] = {
    {.name = "handler",
     .flags = WEIR_OPTION_REQUIRED | READER_ELSEWHERE,
     .choices = "passthrough, linked, or a mapping",
     .help = "The code that handles each message."},
    {.name = "concurrency",
     .type = WEIR_OPTION_INT,
     .fallback = "cores",
     .min = 1,
     .max = 1024,
     .choices = "cores",
     .help = "How many workers run the handler, each on a thread of its own."},
    {.name = "ordering",
     .type = WEIR_OPTION_CHOICE,
     .choices = "none|partition|key",
     .help = "Which messages are handled one after the other; by default "
             "partition for Kafka, none otherwise."},
    {.name = "ordering_key",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_TEMPLATE,
     .help = "With `ordering: key`, what the key is, as in "
             "\"%{header.customer}\"; by default the message's own key."},
    {.name = "ordering_on_requeue",
     .type = WEIR_OPTION_CHOICE,
     .fallback = "refuse",
     .choices = "refuse|accept",
     .help = "Whether order may be lost by a requeue."},
    {.name = "timeout",
     .type = WEIR_OPTION_DURATION,
     .fallback = "none",
     .min = MILLISECOND,
     .max = DAY,
     .choices = "none",
     .help = "A handler that takes longer for one message is reported as "
             "stuck."},
    {.name = "max_demand",
     .type = WEIR_OPTION_INT,
     .fallback = "1024",
     .min = 1,
     .max = 1000000,
     .help = "How many messages a worker may have waiting and in hand."},
    {.name = "min_demand",
     .type = WEIR_OPTION_INT,
     .min = 1,
     .max = 1000000,
     .help = "A worker asks for more when it has no more than this; half of "
             "max_demand by default."},
    {0},
};

const struct weir_option topology_handler_options[] = {
    {.name = "plugin",
     .type = WEIR_OPTION_STRING,
     .help = "A shared object; without a slash it is searched in "
             "WEIR_HANDLER_PATH, beside this file, and among the installed "
             "handlers."},
    {.name = "linked",
     .type = WEIR_OPTION_BOOL,
     .help = "The handler that is linked into this program."},
    {.name = "options",
     .flags = READER_ELSEWHERE,
     .choices = "mapping of any keys",
     .help = "What the handler's init() is given."},
    {0},
};

const struct weir_option topology_batcher_options[] = {
    {.name = "batch_size",
     .type = WEIR_OPTION_INT,
     .fallback = "100",
     .min = 1,
     .max = 1000000,
     .help = "A batch of so many messages closes."},
    {.name = "batch_bytes",
     .type = WEIR_OPTION_SIZE,
     .fallback = "1MiB",
     .min = 1,
     .max = 1024 * MIB,
     .help = "A message that would make a batch larger than this closes it "
             "first."},
    {.name = "batch_timeout",
     .type = WEIR_OPTION_DURATION,
     .fallback = "1s",
     .min = MILLISECOND,
     .max = DAY,
     .help = "A batch closes so long after its first message."},
    {.name = "max_batch_keys",
     .type = WEIR_OPTION_INT,
     .fallback = "1000",
     .min = 1,
     .max = 1000000,
     .help = "With more batch keys open, the oldest batch closes."},
    {.name = "concurrency",
     .type = WEIR_OPTION_INT,
     .fallback = "1",
     .min = 1,
     .max = 256,
     .help = "How many workers deliver batches, each on a thread of its own."},
    {.name = "max_in_flight",
     .type = WEIR_OPTION_INT,
     .fallback = "1",
     .min = 1,
     .max = 1000,
     .help = "How many batches one worker may have under way."},
    {.name = "sink",
     .flags = READER_ELSEWHERE,
     .choices = "connector",
     .help = "Where batches go; without one, to the handler's handle_batch()."},
    {0},
};

const struct topology_section topology_sections[] = {
    {"topology", "The file's top level.", topology_top_options},
    {"producer", "One connector (see Producers) and, beside it:",
     topology_producer_options},
    {"processors", "What handles each message, and how.",
     topology_processors_options},
    {"handler",
     "`passthrough`, `linked`, or a mapping with one of `plugin` and `linked`:",
     topology_handler_options},
    {"batchers",
     "A mapping of names; messages that are not routed go to "
     "`default`. Each has:",
     topology_batcher_options},
    {0},
};
