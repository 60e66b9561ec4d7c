/*
 * sink_options.c - what a topology may say of an AMQP destination.
 */
#include "sink_options.h"

#include <string.h>

#include <weir/share.h>

#include "address.h"
#include "publication.h"

static const struct weir_option declare_options[] = {
    {.name = "type",
     .type = WEIR_OPTION_CHOICE,
     .flags = WEIR_OPTION_REQUIRED,
     .choices = "direct|topic|fanout|headers",
     .help = "How the exchange routes."},
    {.name = "durable",
     .type = WEIR_OPTION_BOOL,
     .fallback = "true",
     .help = "Whether the exchange survives a restart of the broker."},
    {.name = "arguments",
     .type = WEIR_OPTION_MAP,
     .help = "Further arguments of the exchange, as text: for example "
             "alternate-exchange."},
    {.name = NULL}};

const struct weir_option amqp_sink_options[] = {
    AMQP_ADDRESS_URL,
    {.name = "exchange",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_TEMPLATE,
     .fallback = "",
     .help = "Where messages are published; \"\" is the default exchange, "
             "whose routing keys are names of queues."},
    {.name = "routing_key",
     .type = WEIR_OPTION_STRING,
     .flags = WEIR_OPTION_TEMPLATE,
     .fallback = "",
     .help = "What the exchange routes by, as in \"orders.%{key}\"."},
    {.name = "declare",
     .type = WEIR_OPTION_GROUP,
     .children = declare_options,
     .help = "Declares the exchange; it may exist if it was declared alike. "
             "Without, one that isn't there is waited for."},
    {.name = "mandatory",
     .type = WEIR_OPTION_BOOL,
     .fallback = "true",
     .help = "Whether a message that no queue takes is rejected; without, the "
             "broker drops it and confirms it."},
    {.name = "persistent",
     .type = WEIR_OPTION_BOOL,
     .fallback = "true",
     .help = "Whether messages survive a restart of the broker, in queues that "
             "do."},
    {.name = "window",
     .type = WEIR_OPTION_INT,
     .fallback = "1000",
     .min = 1,
     .max = 65535,
     .help = "How many messages are published before the first of them is "
             "confirmed; the batches under way bound it too."},
    AMQP_ADDRESS_HEARTBEAT,
    AMQP_ADDRESS_TLS,
    {.name = NULL}};

static void check_name(const struct weir_settings *settings, const char *path)
{
    const char *name = weir_settings_string(settings, path);

    if (name && !strstr(name, "%{") && strlen(name) > AMQP_NAME_MAX)
        weir_settings_refuse(settings, path, "it may have at most %d bytes",
                             AMQP_NAME_MAX);
}

static void check_declare(const struct weir_settings *settings)
{
    const char *exchange = weir_settings_string(settings, "exchange");

    if (!weir_settings_has(settings, "declare"))
        return;
    if (!exchange || exchange[0] == '\0')
        weir_settings_refuse(settings, "declare",
                             "the default exchange is always there: leave "
                             "this out, or write exchange");
    else if (strstr(exchange, "%{"))
        weir_settings_refuse(settings, "declare",
                             "an exchange that each message names can't be "
                             "declared before: leave this out");
    else if (strncmp(exchange, "amq.", 4) == 0)
        weir_settings_refuse(settings, "declare",
                             "names that begin with 'amq.' are the broker's: "
                             "leave this out");
}

void amqp_sink_check(const struct weir_settings *settings)
{
    const char *exchange = weir_settings_string(settings, "exchange");
    const char *routing_key = weir_settings_string(settings, "routing_key");

    amqp_address_check(settings);
    check_name(settings, "exchange");
    check_name(settings, "routing_key");
    check_declare(settings);
    if ((!exchange || exchange[0] == '\0') &&
        (!routing_key || routing_key[0] == '\0'))
        weir_settings_refuse(
            settings, "",
            "it needs a destination: write routing_key (of the "
            "default exchange: the queue's name), exchange, or "
            "both");
}
