/*
 * management.c - what only RabbitMQ's management plugin tells, over HTTP.
 *
 *     GET /api/queues/VHOST/NAME                      arguments, policies, type
 *     GET /api/exchanges/VHOST/NAME                   is it there?
 *     GET /api/exchanges/VHOST/NAME/bindings/source   does it lead anywhere?
 *
 * A queue's arguments and its policy (an operator's too) both say things; for
 * names the argument counts, for limits the smaller number does, as in
 * RabbitMQ.
 *
 * Threads: the one that asks.
 */
#include "management.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <weir/share.h>

#include "clock.h"
#include "http_client.h"
#include "http_url.h"

enum { REPLY_MAX = 4 * 1024 * 1024, PATH_SIZE = 2048 };

struct amqp_management {
    struct http_client *client;
    struct http_url url;
    const char *user, *password;
    const char *vhost; /* of the AMQP URL, borrowed */
    int64_t deadline_us;
};

void amqp_management_check(const struct weir_settings *settings)
{
    const char *text = weir_settings_string(settings, "management_url");
    struct http_url url = {.text = NULL};
    struct weir_error err = {.text = ""};

    if (text && http_url_parse(text, &url, &err) != WEIR_OK)
        weir_settings_refuse(settings, "management_url", "%s", err.text);
    http_url_finish(&url);
}

enum weir_status amqp_management_create(const struct weir_settings *settings,
                                        const struct amqp_url *url,
                                        int64_t deadline_us,
                                        struct amqp_management **ret_management,
                                        struct weir_error *err)
{
    const struct http_tls tls = {
        .ca = weir_settings_string(settings, "tls.ca"),
        .cert = weir_settings_string(settings, "tls.cert"),
        .key = weir_settings_string(settings, "tls.key"),
        .key_password = weir_settings_string(settings, "tls.key_password"),
        .verify = weir_settings_bool(settings, "tls.verify", true)};
    struct amqp_management *management = calloc(1, sizeof(*management));
    enum weir_status status;

    if (!management)
        return weir_fail(err, WEIR_RETRY, "out of memory");
    management->vhost = url->vhost;
    management->deadline_us = deadline_us;
    status = http_url_parse(weir_settings_string(settings, "management_url"),
                            &management->url, err);
    if (status == WEIR_OK)
        status = http_client_create(&tls, &management->client, err);
    if (status != WEIR_OK) {
        amqp_management_destroy(management);
        return WEIR_RETRY;
    }
    management->user = management->url.user ? management->url.user : url->user;
    management->password =
        management->url.user ? management->url.password : url->password;
    *ret_management = management;
    return WEIR_OK;
}

void amqp_management_destroy(struct amqp_management *management)
{
    if (!management)
        return;
    http_client_destroy(management->client);
    http_url_finish(&management->url);
    free(management);
}

/* A name as one segment of a path; cut off when there is no room. */
static void add_segment(char out[PATH_SIZE], const char *name)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789-._~";
    size_t used = strlen(out);

    for (; *name && used + 4 < PATH_SIZE; name++) {
        if (strchr(plain, *name))
            used += (size_t)snprintf(out + used, PATH_SIZE - used, "%c", *name);
        else
            used += (size_t)snprintf(out + used, PATH_SIZE - used, "%%%02X",
                                     (unsigned char)*name);
    }
}

/* "http://host:15672/api/queues/%2F/orders" */
static void make_url(const struct amqp_management *management, const char *kind,
                     const char *name, char out[PATH_SIZE])
{
    (void)snprintf(out, PATH_SIZE, "%s/api/%s/", management->url.text, kind);
    add_segment(out, management->vhost);
    (void)strncat(out, "/", PATH_SIZE - strlen(out) - 1);
    add_segment(out, name);
}

static enum weir_status judge_status(const struct amqp_management *management,
                                     int status, struct weir_error *err)
{
    if (status == 401 || status == 403)
        return weir_fail(err, WEIR_RETRY,
                         "the management plugin refuses user %s: it needs the "
                         "tag `management` or `monitoring`, and rights in the "
                         "vhost (HTTP %d)",
                         management->user, status);
    return weir_fail(err, WEIR_RETRY,
                     "%s is not what the management plugin answers on (HTTP "
                     "%d): check `management_url`",
                     management->url.text, status);
}

/* *ret_json: new; NULL: there is no such thing (404). */
static enum weir_status get(struct amqp_management *management, const char *url,
                            json_t **ret_json, struct weir_error *err)
{
    const int64_t left_us = management->deadline_us - clock_now_us();
    const struct http_request request = {.url = url,
                                         .user = management->user,
                                         .password = management->password,
                                         .reply_max = REPLY_MAX,
                                         .timeout_us =
                                             left_us > 1000 ? left_us : 1000};
    struct http_reply reply = {.status = 0};
    json_error_t wrong;
    enum weir_status status =
        http_client_send(management->client, &request, &reply, err);

    if (status != WEIR_OK)
        return WEIR_RETRY;
    *ret_json = json_loadb(reply.body, reply.body_size, 0, &wrong);
    if (reply.status == 200 && *ret_json)
        return WEIR_OK;
    /* The plugin's own 404 is an object; a web server's is not. */
    status = reply.status == 404 && *ret_json
                 ? WEIR_OK
                 : judge_status(management, reply.status, err);
    json_decref(*ret_json);
    *ret_json = NULL;
    return status;
}

static void copy(char *out, size_t size, const json_t *value)
{
    (void)snprintf(out, size, "%s",
                   json_is_string(value) ? json_string_value(value) : "");
}

/* The argument, else what the policies say; NULL: neither. */
static const json_t *either(const json_t *queue, const char *argument,
                            const char *key)
{
    const json_t *value =
        json_object_get(json_object_get(queue, "arguments"), argument);

    if (value)
        return value;
    return json_object_get(
        json_object_get(queue, "effective_policy_definition"), key);
}

/* The smaller one of both; -1: neither. */
static int64_t smaller(const json_t *queue, const char *argument,
                       const char *key)
{
    const json_t *own =
        json_object_get(json_object_get(queue, "arguments"), argument);
    const json_t *policy = json_object_get(
        json_object_get(queue, "effective_policy_definition"), key);
    const int64_t a = json_is_integer(own) ? json_integer_value(own) : -1;
    const int64_t b = json_is_integer(policy) ? json_integer_value(policy) : -1;

    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

static void read_queue(const json_t *queue, struct amqp_queue_facts *facts)
{
    const json_t *exchange =
        either(queue, "x-dead-letter-exchange", "dead-letter-exchange");
    const json_t *overflow = either(queue, "x-overflow", "overflow");

    *facts = (struct amqp_queue_facts){
        .has_dead_letter_exchange = json_is_string(exchange),
        .is_durable = json_is_true(json_object_get(queue, "durable")),
        .is_single_active = json_is_true(json_object_get(
            json_object_get(queue, "arguments"), "x-single-active-consumer")),
        .drops_head = !json_is_string(overflow) ||
                      strcmp(json_string_value(overflow), "drop-head") == 0,
        .delivery_limit = smaller(queue, "x-delivery-limit", "delivery-limit"),
        .consumer_timeout_ms =
            smaller(queue, "x-consumer-timeout", "consumer-timeout"),
        .max_length = smaller(queue, "x-max-length", "max-length"),
    };
    copy(facts->type, sizeof facts->type, json_object_get(queue, "type"));
    copy(facts->policy, sizeof facts->policy, json_object_get(queue, "policy"));
    copy(facts->dead_letter_exchange, sizeof facts->dead_letter_exchange,
         exchange);
}

enum weir_status amqp_management_queue(struct amqp_management *management,
                                       const char *queue,
                                       struct amqp_queue_facts *ret_facts,
                                       struct weir_error *err)
{
    char url[PATH_SIZE];
    json_t *json = NULL;
    enum weir_status status;

    make_url(management, "queues", queue, url);
    status = get(management, url, &json, err);
    if (status != WEIR_OK)
        return status;
    if (!json)
        return weir_fail(err, WEIR_RETRY,
                         "the management plugin at %s knows no such queue: is "
                         "it another broker's?",
                         management->url.text);
    read_queue(json, ret_facts);
    json_decref(json);
    return WEIR_OK;
}

enum weir_status amqp_management_exchange(struct amqp_management *management,
                                          const char *exchange,
                                          struct amqp_exchange_facts *ret_facts,
                                          struct weir_error *err)
{
    struct amqp_exchange_facts facts = {.is_there = false};
    char url[PATH_SIZE];
    json_t *json = NULL;
    enum weir_status status;

    make_url(management, "exchanges", exchange, url);
    status = get(management, url, &json, err);
    if (status != WEIR_OK)
        return status;
    facts.is_there = json != NULL;
    json_decref(json);
    if (facts.is_there) {
        (void)strncat(url, "/bindings/source", PATH_SIZE - strlen(url) - 1);
        status = get(management, url, &json, err);
        if (status != WEIR_OK)
            return status;
        facts.is_bound = json_array_size(json) > 0;
        json_decref(json);
    }
    *ret_facts = facts;
    return WEIR_OK;
}
