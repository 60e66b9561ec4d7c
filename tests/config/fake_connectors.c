/*
 * fake_connectors.c - connectors that are tables and a check(), no more.
 *
 * `log` is partitioned as Kafka, `queue` pushes as AMQP, `counter` needs
 * nothing; `void` and `table` are sinks.
 */
#include "fake_connectors.h"

#include <string.h>

static const struct weir_option tls_options[] = {
    {.name = "ca", .type = WEIR_OPTION_PATH, .help = "Whom to trust."},
    {.name = "verify",
     .type = WEIR_OPTION_BOOL,
     .fallback = "true",
     .help = "Whether to check the name."},
    {0},
};

static const struct weir_option sasl_options[] = {
    {.name = "mechanism",
     .type = WEIR_OPTION_CHOICE,
     .flags = WEIR_OPTION_REQUIRED,
     .choices = "PLAIN|SCRAM",
     .help = "How to log in."},
    {.name = "password",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_SECRET,
     .help = "The password."},
    {.name = "pin",
     .type = WEIR_OPTION_INT,
     .flags = WEIR_OPTION_SECRET,
     .help = "A short one."},
    {0},
};

static const struct weir_option log_options[] = {
    {.name = "brokers",
     .type = WEIR_OPTION_LIST,
     .fallback = "localhost:9092",
     .help = "Where to begin."},
    {.name = "topics",
     .type = WEIR_OPTION_LIST,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "What to read."},
    {.name = "group",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "With whom to share."},
    {.name = "start",
     .type = WEIR_OPTION_CHOICE,
     .fallback = "earliest",
     .choices = "earliest|latest",
     .help = "Where a new group begins."},
    {.name = "window",
     .type = WEIR_OPTION_INT,
     .fallback = "100000",
     .min = 1,
     .max = 10000000,
     .help = "How far to read ahead."},
    {.name = "interval",
     .type = WEIR_OPTION_DURATION,
     .fallback = "1s",
     .min = 1000,
     .max = INT64_C(60000000),
     .help = "How often to commit."},
    {.name = "tls",
     .type = WEIR_OPTION_GROUP,
     .children = tls_options,
     .help = "Encryption."},
    {.name = "sasl",
     .type = WEIR_OPTION_GROUP,
     .children = sasl_options,
     .help = "Who we are."},
    {.name = "properties",
     .type = WEIR_OPTION_MAP,
     .help = "Any of the client's."},
    {0},
};

static void log_check(const struct weir_settings *settings)
{
    const struct weir_share *share = weir_settings_share(settings);
    const size_t count = weir_settings_count(settings, "properties");

    for (size_t i = 0; i < count; i++) {
        if (strcmp(weir_settings_key(settings, "properties", i),
                   "enable.auto.commit") == 0)
            weir_settings_refuse(settings, "properties.enable.auto.commit",
                                 "is weir's own: use `interval`");
    }
    if (weir_settings_int(settings, "window", 0) <
        2 * (int64_t)share->largest_batch)
        weir_settings_refuse(settings, "window",
                             "must be at least twice the largest batch (%u)",
                             share->largest_batch);
}

static const struct weir_option binding_options[] = {
    {.name = "exchange",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "What to bind to."},
    {.name = "routing_key", .type = WEIR_OPTION_STRING, .help = "With what."},
    {0},
};

static const struct weir_option queue_options[] = {
    {.name = "url",
     .type = WEIR_OPTION_LIST,
     .flags = WEIR_OPTION_SECRET | WEIR_OPTION_REQUIRED,
     .help = "Where to connect."},
    {.name = "prefetch",
     .type = WEIR_OPTION_INT,
     .min = 1,
     .max = 65535,
     .help = "How many to be sent ahead."},
    {.name = "bindings",
     .type = WEIR_OPTION_GROUPS,
     .children = binding_options,
     .help = "What comes into the queue."},
    {0},
};

static void queue_check(const struct weir_settings *settings)
{
    const struct weir_share *share = weir_settings_share(settings);
    const int64_t prefetch = weir_settings_int(settings, "prefetch", 0);

    if (prefetch > 0 && prefetch < share->largest_batch)
        weir_settings_refuse(settings, "prefetch",
                             "%d can't fill a batch of %u", (int)prefetch,
                             share->largest_batch);
    if (share->ordering != WEIR_ORDERING_NONE && share->count > 1)
        weir_settings_refuse(settings, "", "order needs one consumer");
}

static const struct weir_option counter_options[] = {
    {.name = "count", .type = WEIR_OPTION_INT, .help = "Where to stop."},
    {.name = "template",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_TEMPLATE,
     .help = "What each message is."},
    {0},
};

/* A sink of the same name. */
static bool log_reads(const struct weir_settings *settings,
                      const struct weir_settings *sink)
{
    return strcmp(weir_settings_item(settings, "topics", 0),
                  weir_settings_string(sink, "topic")) == 0;
}

/* A pipeline that is made and not run may be asked to pause. */
static void wake_nobody(void *self)
{
    (void)self;
}

static const struct weir_producer_ops log_producer = {
    .name = "log",
    .help = "a partitioned log",
    .options = log_options,
    .policies =
        WEIR_POLICY_BIT(WEIR_POLICY_DROP) | WEIR_POLICY_BIT(WEIR_POLICY_STOP),
    .ordering = WEIR_ORDERING_PARTITION,
    .fields = "topic|partition|offset|timestamp|key|header.",
    .check = log_check,
    .reads = log_reads,
};

static const struct weir_producer_ops queue_producer = {
    .name = "queue",
    .help = "a queue that pushes",
    .options = queue_options,
    .policies = WEIR_POLICY_BIT(WEIR_POLICY_COUNT) - 1,
    .is_pushed = true,
    .fields = "topic|header.|routing_key|exchange",
    .check = queue_check,
};

static const struct weir_producer_ops counter_producer = {
    .name = "counter",
    .help = "numbers",
    .options = counter_options,
    .policies =
        WEIR_POLICY_BIT(WEIR_POLICY_DROP) | WEIR_POLICY_BIT(WEIR_POLICY_STOP),
    .wake = wake_nobody,
};

static const struct weir_option table_options[] = {
    {.name = "path",
     .type = WEIR_OPTION_PATH,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "Where to write."},
    {0},
};

static const struct weir_option topic_options[] = {
    {.name = "topic",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_TEMPLATE | WEIR_OPTION_REQUIRED,
     .help = "Where each message goes."},
    {.name = "headers",
     .type = WEIR_OPTION_MAP,
     .flags = WEIR_OPTION_TEMPLATE,
     .help = "What is said with it."},
    {0},
};

static const struct weir_sink_ops log_sink = {
    .name = "log", .help = "a partitioned log", .options = topic_options};

static const struct weir_sink_ops void_sink = {.name = "void",
                                               .help = "nowhere"};
static const struct weir_sink_ops table_sink = {
    .name = "table", .help = "a file", .options = table_options};
static const struct weir_sink_ops topic_sink = {
    .name = "topic", .help = "a topic", .options = topic_options};

static const struct weir_handler passthrough = {.name = "passthrough"};

static const struct weir_producer_ops *const producers[] = {
    &log_producer, &queue_producer, &counter_producer, NULL};
static const struct weir_sink_ops *const sinks[] = {
    &void_sink, &table_sink, &topic_sink, &log_sink, NULL};
static const struct weir_handler *const handlers[] = {&passthrough, NULL};

const struct connectors fake_connectors = {
    .producers = producers, .sinks = sinks, .handlers = handlers};
