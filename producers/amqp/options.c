/*
 * options.c - what a topology may say of an AMQP queue, and what follows.
 *
 * Prefetch is the one number that has to fit everything else: too small and no
 * batch ever fills, too large and a stalled pipeline holds more than its
 * memory, or uses up the delivery limit of messages that nobody has seen.  So
 * it is derived; where the budget makes it smaller than the topology wants,
 * both numbers are said.
 *
 * Threads: no state.
 */
#include "options.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "management.h"

/* What the protocol's 16 bits and its short strings can say. */
/* RabbitMQ's own, where nobody said otherwise. */
#define CONSUMER_TIMEOUT_US (INT64_C(1000000) * 1800)

enum { PREFETCH_MAX = 65535, NAME_MAX_SIZE = 255 };

/* Everything else is text: a routing key "5" must stay one. */
static const struct {
    const char *name;
    enum argument_kind kind;
} arguments[] = {
    {"x-consumer-timeout", ARGUMENT_NUMBER},
    {"x-delivery-limit", ARGUMENT_NUMBER},
    {"x-expires", ARGUMENT_NUMBER},
    {"x-max-in-memory-bytes", ARGUMENT_NUMBER},
    {"x-max-in-memory-length", ARGUMENT_NUMBER},
    {"x-max-length", ARGUMENT_NUMBER},
    {"x-max-length-bytes", ARGUMENT_NUMBER},
    {"x-max-priority", ARGUMENT_NUMBER},
    {"x-message-ttl", ARGUMENT_NUMBER},
    {"x-quorum-initial-group-size", ARGUMENT_NUMBER},
    {"x-single-active-consumer", ARGUMENT_BOOLEAN},
};

static const struct weir_option declare_options[] = {
    {.name = "type",
     .type = WEIR_OPTION_CHOICE,
     .fallback = "classic",
     .choices = "classic|quorum",
     .help = "What kind of queue it is."},
    {.name = "durable",
     .type = WEIR_OPTION_BOOL,
     .fallback = "true",
     .help = "Whether the queue survives a restart of the broker."},
    {.name = "arguments",
     .type = WEIR_OPTION_MAP,
     .help = "Further x-arguments of the queue, for example "
             "x-dead-letter-exchange."},
    {.name = NULL}};

static const struct weir_option binding_options[] = {
    {.name = "exchange",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "An exchange that exists."},
    {.name = "routing_key",
     .type = WEIR_OPTION_STRING,
     .fallback = "",
     .help = "Which of its messages go to the queue."},
    {.name = NULL}};

const struct weir_option amqp_producer_options[] = {
    AMQP_ADDRESS_URL,
    {.name = "queue",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_REQUIRED,
     .help = "The queue to consume; waited for if it isn't there."},
    {.name = "declare",
     .type = WEIR_OPTION_GROUP,
     .children = declare_options,
     .help = "Declares the queue; it may exist if it was declared alike."},
    {.name = "bindings",
     .type = WEIR_OPTION_GROUPS,
     .children = binding_options,
     .help = "Binds the queue to exchanges."},
    {.name = "prefetch",
     .type = WEIR_OPTION_INT,
     .min = 1,
     .max = PREFETCH_MAX,
     .help = "Unacknowledged messages at a time; derived from batches, "
             "workers and memory when left out."},
    {.name = "delivery_limit",
     .type = WEIR_OPTION_INT,
     .fallback = "20",
     .min = 1,
     .max = 1000000,
     .help = "The quorum queue's own limit: deliveries within 3 of it are "
             "logged, and rejected instead of requeued."},
    {.name = "consumer_tag",
     .type = WEIR_OPTION_STRING,
     .fallback = "weir",
     .help = "The consumer's name at the broker."},
    {.name = "exclusive",
     .type = WEIR_OPTION_BOOL,
     .fallback = "false",
     .help = "Whether to be the queue's only consumer, which quorum queues "
             "don't enforce."},
    AMQP_ADDRESS_HEARTBEAT,
    AMQP_MANAGEMENT_URL,
    AMQP_ADDRESS_TLS,
    {.name = NULL}};

enum argument_kind argument_kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
        if (strcmp(arguments[i].name, name) == 0)
            return arguments[i].kind;
    }
    return ARGUMENT_TEXT;
}

/* How many messages of the largest size the budget holds. */
static size_t affordable(const struct weir_share *share)
{
    const size_t size = share->max_message_bytes;
    const size_t count = size > 0 ? share->memory / size : PREFETCH_MAX;

    return count > PREFETCH_MAX ? PREFETCH_MAX : count > 0 ? count : 1;
}

unsigned options_prefetch(const struct weir_settings *settings)
{
    const struct weir_share *share = weir_settings_share(settings);
    const int64_t written = weir_settings_int(settings, "prefetch", 0);
    const size_t most = affordable(share);
    size_t wanted = share->in_flight > 0 ? share->in_flight : 1;

    if (written > 0)
        return (unsigned)written;
    if (wanted > most)
        wanted = most;
    return (unsigned)wanted;
}

static void check_prefetch(const struct weir_settings *settings)
{
    const struct weir_share *share = weir_settings_share(settings);
    const int64_t written = weir_settings_int(settings, "prefetch", 0);
    const size_t most = affordable(share);

    if (written > 0 && (uint64_t)written < share->largest_batch)
        weir_settings_refuse(settings, "prefetch",
                             "%lld messages can't fill a batch of %u: raise it "
                             "or lower batch_size",
                             (long long)written, share->largest_batch);
    if (written > 0 && (uint64_t)written > most)
        weir_settings_refuse(settings, "prefetch",
                             "%lld messages of up to max_message_bytes (%zu) "
                             "don't fit the %zu bytes of memory that are for "
                             "it: at most %zu do; lower max_message_bytes or "
                             "raise memory",
                             (long long)written, share->max_message_bytes,
                             share->memory, most);
    if (written == 0 && share->in_flight > most)
        weir_settings_warn(settings, "",
                           "prefetch is %zu, since no more messages of up to "
                           "max_message_bytes (%zu) fit its part of memory; "
                           "%u would keep all batches and workers busy: lower "
                           "max_message_bytes or raise memory",
                           most, share->max_message_bytes, share->in_flight);
}

static bool is_number(const char *text)
{
    char *end = NULL;

    (void)strtoll(text, &end, 10);
    return end != text && *end == '\0';
}

static void check_argument(const struct weir_settings *settings,
                           const char *name, const char *value)
{
    const enum argument_kind kind = argument_kind_of(name);

    if (strcmp(name, "x-queue-type") == 0)
        weir_settings_refuse(settings, "declare.arguments",
                             "x-queue-type is said by declare.type");
    if (kind == ARGUMENT_NUMBER && !is_number(value))
        weir_settings_refuse(settings, "declare.arguments",
                             "%s must be a whole number", name);
    if (kind == ARGUMENT_BOOLEAN && strcmp(value, "true") != 0 &&
        strcmp(value, "false") != 0)
        weir_settings_refuse(settings, "declare.arguments",
                             "%s must be true or false", name);
}

static void check_declare(const struct weir_settings *settings)
{
    const char *type = weir_settings_string(settings, "declare.type");
    const size_t count = weir_settings_count(settings, "declare.arguments");

    if (!weir_settings_has(settings, "declare"))
        return;
    if (type && strcmp(type, "quorum") == 0 &&
        !weir_settings_bool(settings, "declare.durable", true))
        weir_settings_refuse(settings, "declare.durable",
                             "a quorum queue is always durable");
    for (size_t i = 0; i < count; i++)
        check_argument(settings,
                       weir_settings_key(settings, "declare.arguments", i),
                       weir_settings_item(settings, "declare.arguments", i));
}

static bool is_single_active(const struct weir_settings *settings)
{
    const size_t count = weir_settings_count(settings, "declare.arguments");

    for (size_t i = 0; i < count; i++) {
        const char *key = weir_settings_key(settings, "declare.arguments", i);

        if (strcmp(key, "x-single-active-consumer") == 0)
            return strcmp(weir_settings_item(settings, "declare.arguments", i),
                          "true") == 0;
    }
    return false;
}

/* A quorum queue takes any number of consumers that want to be exclusive. */
static void check_only_consumer(const struct weir_settings *settings)
{
    const char *type = weir_settings_string(settings, "declare.type");

    if (is_single_active(settings))
        return;
    if (!weir_settings_bool(settings, "exclusive", false))
        weir_settings_refuse(settings, "exclusive",
                             "order needs the queue's only consumer: set "
                             "exclusive to true, or x-single-active-consumer "
                             "in declare.arguments");
    else if (type && strcmp(type, "quorum") == 0)
        weir_settings_refuse(settings, "exclusive",
                             "a quorum queue lets several consumers be "
                             "exclusive: order needs x-single-active-consumer "
                             "in declare.arguments");
}

static void check_ordering(const struct weir_settings *settings)
{
    const struct weir_share *share = weir_settings_share(settings);

    if (share->ordering == WEIR_ORDERING_NONE)
        return;
    if (share->ordering == WEIR_ORDERING_KEY && !share->ordering_key)
        weir_settings_refuse(settings, "",
                             "AMQP messages have no key: write "
                             "processors.ordering_key, for example "
                             "\"%%{routing_key}\"");
    if (share->count > 1)
        weir_settings_refuse(settings, "",
                             "order needs one consumer: set the producer's "
                             "concurrency to 1, or processors.ordering to "
                             "none");
    check_only_consumer(settings);
    if ((share->policy == WEIR_POLICY_REQUEUE ||
         share->policy == WEIR_POLICY_REQUEUE_ONCE) &&
        !share->requeue_breaks_order)
        weir_settings_refuse(settings, "",
                             "a requeued message comes back behind later ones: "
                             "choose another failure.then, or set "
                             "processors.ordering_on_requeue to accept");
}

/* What RabbitMQ allows for one message, unless the queue says otherwise. */
static int64_t consumer_timeout_us(const struct weir_settings *settings)
{
    const size_t count = weir_settings_count(settings, "declare.arguments");

    for (size_t i = 0; i < count; i++) {
        const char *key = weir_settings_key(settings, "declare.arguments", i);

        if (strcmp(key, "x-consumer-timeout") == 0)
            return 1000 *
                   strtoll(weir_settings_item(settings, "declare.arguments", i),
                           NULL, 10);
    }
    return CONSUMER_TIMEOUT_US;
}

static void check_held(const struct weir_settings *settings)
{
    const struct weir_share *share = weir_settings_share(settings);
    const int64_t limit_us = consumer_timeout_us(settings);

    if (share->held_us <= limit_us)
        return;
    weir_settings_warn(settings, "",
                       "failure.retry and processors.timeout may hold a "
                       "message for %lld s, and the broker closes the channel "
                       "of a consumer that keeps one for %lld s "
                       "(consumer_timeout): lower attempts, backoff.max or "
                       "timeout, or raise consumer_timeout there, for this "
                       "queue by x-consumer-timeout in declare.arguments",
                       (long long)(share->held_us / 1000000),
                       (long long)(limit_us / 1000000));
}

static void check_name(const struct weir_settings *settings, const char *path)
{
    const char *name = weir_settings_string(settings, path);

    if (name && (name[0] == '\0' || strlen(name) > NAME_MAX_SIZE))
        weir_settings_refuse(settings, path, "it must have 1 to %d bytes",
                             NAME_MAX_SIZE);
}

void options_check(const struct weir_settings *settings)
{
    amqp_address_check(settings);
    amqp_management_check(settings);
    check_name(settings, "queue");
    check_name(settings, "consumer_tag");
    check_declare(settings);
    check_prefetch(settings);
    check_held(settings);
    check_ordering(settings);
}
