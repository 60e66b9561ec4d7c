/*
 * loop.c - whether a destination leads back to its source.
 *
 * Which queues an exchange reaches only the broker knows.  What a topology
 * says by itself: the default exchange's routing key is a queue's name, and a
 * queue that this source binds is reached by the binding's own exchange and
 * key.
 *
 * Threads: none; nothing is kept.
 */
#include "loop.h"

#include <string.h>
#include <strings.h>

#include "address.h"

static bool is_same_place(const struct amqp_url *one,
                          const struct amqp_url *other)
{
    return strcasecmp(one->host, other->host) == 0 &&
           one->port == other->port && strcmp(one->vhost, other->vhost) == 0;
}

static bool is_a_url_of(const struct weir_settings *settings,
                        const struct amqp_url *url)
{
    bool is_found = false;

    for (size_t i = 0; i < weir_settings_count(settings, "url"); i++) {
        struct amqp_url other = {0};

        if (amqp_address_url(settings, i, &other, NULL) == WEIR_OK)
            is_found |= is_same_place(url, &other);
        amqp_url_finish(&other);
    }
    return is_found;
}

static bool share_a_broker(const struct weir_settings *one,
                           const struct weir_settings *other)
{
    bool is_found = false;

    for (size_t i = 0; i < weir_settings_count(one, "url"); i++) {
        struct amqp_url url = {0};

        if (amqp_address_url(one, i, &url, NULL) == WEIR_OK)
            is_found |= is_a_url_of(other, &url);
        amqp_url_finish(&url);
    }
    return is_found;
}

static const char *text_of(const struct weir_settings *settings,
                           const char *path)
{
    const char *const text = weir_settings_string(settings, path);

    return text ? text : "";
}

static bool is_bound(const struct weir_settings *settings, const char *exchange,
                     const char *routing_key)
{
    for (size_t i = 0; i < weir_settings_count(settings, "bindings"); i++) {
        const struct weir_settings *const binding =
            weir_settings_group(settings, "bindings", i);

        if (strcmp(text_of(binding, "exchange"), exchange) == 0 &&
            strcmp(text_of(binding, "routing_key"), routing_key) == 0)
            return true;
    }
    return false;
}

bool loop_reads(const struct weir_settings *settings,
                const struct weir_settings *sink)
{
    const char *const queue = text_of(settings, "queue");
    const char *const exchange = text_of(sink, "exchange");
    const char *const routing_key = text_of(sink, "routing_key");
    const bool is_queue =
        strcmp(routing_key, queue) == 0 || strcmp(routing_key, "%{topic}") == 0;

    if (exchange[0] == '\0' ? !is_queue
                            : !is_bound(settings, exchange, routing_key))
        return false;
    return share_a_broker(settings, sink);
}
