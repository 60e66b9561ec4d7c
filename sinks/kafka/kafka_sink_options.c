/*
 * kafka_sink_options.c - what a topology says about a Kafka destination.
 *
 * Threads: none of its own; nothing is kept.
 */
#include "kafka_sink_options.h"

#include <string.h>

#include <weir/share.h>

#include "kafka_conf.h"
#include "kafka_target.h"

const struct weir_option kafka_sink_options_table[] = {
    KAFKA_CONF_BROKERS,
    {.name = "topic",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_REQUIRED | WEIR_OPTION_TEMPLATE,
     .help = "Topic to write to; a message that lacks what the template names "
             "is rejected."},
    {.name = "key",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_TEMPLATE,
     .help = "The key to write, none where it comes out empty; by default the "
             "message's own."},
    {.name = "unknown_topic",
     .type = WEIR_OPTION_CHOICE,
     .fallback = "wait",
     .choices = "wait|reject",
     .help = "When the topic isn't there: hold everything until it is, or "
             "reject the message."},
    {.name = "partitioner",
     .type = WEIR_OPTION_CHOICE,
     .fallback = "murmur2_random",
     .choices = "murmur2_random|murmur2|consistent_random|consistent|"
                "fnv1a_random|fnv1a|random",
     .help = "How a key chooses its partition; murmur2_random is what Java "
             "clients do."},
    {.name = "compression",
     .type = WEIR_OPTION_CHOICE,
     .fallback = "none",
     .choices = "none|gzip|snappy|lz4|zstd",
     .help = "How batches are compressed on the way and on the broker."},
    KAFKA_CONF_TLS,
    KAFKA_CONF_SASL,
    KAFKA_CONF_PROPERTIES,
    {0},
};

static void check_topic(const struct weir_settings *settings)
{
    const char *const topic = weir_settings_string(settings, "topic");
    const char *refusal;

    if (strstr(topic, "%{"))
        return; /* known only with a message */
    refusal = kafka_target_refusal(weir_str(topic));
    if (refusal)
        weir_settings_refuse(settings, "topic", "'%s' %s", topic, refusal);
}

/* A message that doesn't fit would never be sent. */
static void check_memory(const struct weir_settings *settings)
{
    const struct weir_share *share = weir_settings_share(settings);

    if (share->memory < share->max_message_bytes)
        weir_settings_refuse(settings, "",
                             "its client may keep %zu KiB (a quarter of "
                             "`memory`, divided by the workers of all sinks "
                             "with a client), which is less than one message "
                             "(`max_message_bytes`): raise `memory`, or lower "
                             "the batcher's concurrency",
                             share->memory / 1024);
}

void kafka_sink_options_check(const struct weir_settings *settings)
{
    check_topic(settings);
    check_memory(settings);
    kafka_conf_check(settings, KAFKA_WRITES);
}
