/*
 * otlp.c - spans as OTLP has them, in JSON.
 *
 * The specification's JSON is not that of protobuf in one thing: identities are
 * hexadecimal.  64-bit numbers are texts, since JSON's are not as large.  Names
 * of attributes are those of the conventions for messaging, where there are
 * any.
 *
 * Threads: any.
 */
#include "otlp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "utf8.h"

enum {
    KIND_PRODUCER = 4, /* of a span: it sends, it handles what was sent */
    KIND_CONSUMER = 5,
    STATUS_ERROR = 2,
    FLAGS_SAMPLED = 1,
    NAME_SIZE = 320
};

static json_t *text_of(const char *text)
{
    const bool is_text = utf8_is_valid((struct weir_bytes){text, strlen(text)});
    char clean[NAME_SIZE] = "";

    if (is_text)
        return json_string_nocheck(text);
    for (size_t i = 0; text[i] != '\0' && i < sizeof clean - 1; i++)
        clean[i] = (char)((unsigned char)text[i] < 128 ? text[i] : '?');
    return json_string_nocheck(clean);
}

/* 64 bits, as a text. */
static json_t *number_of(int64_t number)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, number);
    return json_string_nocheck(text);
}

static void add_attribute(json_t *list, const char *key, const char *type,
                          json_t *value)
{
    (void)json_array_append_new(
        list, json_pack("{s:s, s:{s:o}}", "key", key, "value", type, value));
}

static void add_text(json_t *list, const char *key, const char *text)
{
    add_attribute(list, key, "stringValue", text_of(text));
}

static void add_number(json_t *list, const char *key, int64_t number)
{
    add_attribute(list, key, "intValue", number_of(number));
}

static json_t *attributes_of(const struct otlp_resource *resource,
                             const struct traced *traced)
{
    const bool is_sent = traced->kind == TRACED_SEND;
    json_t *list = json_array();
    char partition[16];

    add_text(list, "messaging.operation.type", is_sent ? "send" : "process");
    add_text(list, "messaging.system", resource->system);
    add_text(list, "messaging.destination.name", traced->source);
    if (traced->partition >= 0) {
        (void)snprintf(partition, sizeof partition, "%d", traced->partition);
        add_text(list, "messaging.destination.partition.id", partition);
    }
    add_number(list, "weir.position", traced->position);
    add_number(list, "weir.attempt", traced->attempt);
    add_number(list, "weir.worker", traced->worker);
    if (!is_sent)
        return list;
    add_text(list, "weir.batcher", traced->batcher);
    add_number(list, "messaging.batch.message_count", traced->count);
    return list;
}

static json_t *span_of(const struct otlp_resource *resource,
                       const struct span_record *record)
{
    const struct traced *traced = &record->traced;
    const bool is_sent = traced->kind == TRACED_SEND;
    json_t *span = json_object();
    char name[NAME_SIZE];

    (void)snprintf(name, sizeof name, "%s %s", is_sent ? "send" : "process",
                   is_sent ? traced->batcher : traced->source);
    (void)json_object_set_new(span, "traceId", text_of(traced->trace_id));
    (void)json_object_set_new(span, "spanId", text_of(traced->span_id));
    if (traced->parent_id[0] != '\0')
        (void)json_object_set_new(span, "parentSpanId",
                                  text_of(traced->parent_id));
    (void)json_object_set_new(span, "flags", json_integer(FLAGS_SAMPLED));
    (void)json_object_set_new(span, "name", text_of(name));
    (void)json_object_set_new(
        span, "kind", json_integer(is_sent ? KIND_PRODUCER : KIND_CONSUMER));
    (void)json_object_set_new(
        span, "startTimeUnixNano",
        number_of((resource->wall_us + traced->begin_us) * 1000));
    (void)json_object_set_new(
        span, "endTimeUnixNano",
        number_of((resource->wall_us + traced->end_us) * 1000));
    (void)json_object_set_new(span, "attributes",
                              attributes_of(resource, traced));
    if (record->is_failed)
        (void)json_object_set_new(span, "status",
                                  json_pack("{s:i, s:o}", "code", STATUS_ERROR,
                                            "message",
                                            text_of(record->reason)));
    return span;
}

static json_t *resource_of(const struct otlp_resource *resource)
{
    json_t *list = json_array();

    add_text(list, "service.name", resource->service);
    add_text(list, "host.name", resource->host);
    return json_pack("{s:o}", "attributes", list);
}

char *otlp_request(const struct otlp_resource *resource,
                   const struct span_record *spans, size_t count)
{
    json_t *list = json_array(), *request;
    char *text;

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, span_of(resource, &spans[i]));
    if (json_array_size(list) != count) {
        json_decref(list);
        return NULL;
    }
    request =
        json_pack("{s:[{s:o, s:[{s:{s:s, s:s}, s:o}]}]}", "resourceSpans",
                  "resource", resource_of(resource), "scopeSpans", "scope",
                  "name", "weir", "version", WEIR_VERSION, "spans", list);
    text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    return text;
}

uint64_t otlp_refused(const char *body, size_t size)
{
    json_t *answer = json_loadb(body, size, 0, NULL);
    const json_t *number = json_object_get(
        json_object_get(answer, "partialSuccess"), "rejectedSpans");
    uint64_t refused = 0;

    if (json_is_integer(number) && json_integer_value(number) > 0)
        refused = (uint64_t)json_integer_value(number);
    else if (json_is_string(number))
        refused = strtoull(json_string_value(number), NULL, 10);
    json_decref(answer);
    return refused;
}
