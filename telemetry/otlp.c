/*
 * otlp.c - spans as OTLP has them, in JSON.
 *
 * The specification's JSON is not that of protobuf in one thing: identities are
 * hexadecimal.  64-bit numbers are texts, since JSON's are not as large.  Names
 * of attributes are those of the conventions for messaging, where there are
 * any.  They are written as text at once: a tree of them costs ten times as
 * much.
 *
 * Threads: any.
 */
#include "otlp.h"

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "json.h"

enum {
    KIND_PRODUCER = 4, /* of a span: it sends, it handles what was sent */
    KIND_CONSUMER = 5,
    NAME_SIZE = 320
};

/* ,"name":"text" */
static void add_text(struct buffer *out, const char *name, const char *text)
{
    buffer_append_text(out, ",\"");
    buffer_append_text(out, name);
    buffer_append_text(out, "\":");
    json_append_text(out, text);
}

static void add_attribute(struct buffer *out, const char *key, const char *type)
{
    const bool is_first = out->size == 0 || out->data[out->size - 1] == '[';

    buffer_append_text(out, is_first ? "{\"key\":\"" : ",{\"key\":\"");
    buffer_append_text(out, key);
    buffer_append_text(out, "\",\"value\":{\"");
    buffer_append_text(out, type);
    buffer_append_text(out, "\":");
}

static void add_words(struct buffer *out, const char *key, const char *text)
{
    add_attribute(out, key, "stringValue");
    json_append_text(out, text);
    buffer_append_text(out, "}}");
}

/* None is below zero; 64 bits are a text. */
static void add_number(struct buffer *out, const char *key, int64_t number)
{
    add_attribute(out, key, "intValue");
    buffer_append_text(out, "\"");
    buffer_append_number(out, (unsigned long long)number);
    buffer_append_text(out, "\"}}");
}

static void add_attributes(struct buffer *out,
                           const struct otlp_resource *resource,
                           const struct traced *traced)
{
    const bool is_sent = traced->kind == TRACED_SEND;
    char partition[16];

    add_words(out, "messaging.operation.type", is_sent ? "send" : "process");
    add_words(out, "messaging.system", resource->system);
    add_words(out, "messaging.destination.name", traced->source);
    if (traced->partition >= 0) {
        (void)snprintf(partition, sizeof partition, "%d", traced->partition);
        add_words(out, "messaging.destination.partition.id", partition);
    }
    add_number(out, "weir.position", traced->position);
    add_number(out, "weir.attempt", traced->attempt);
    add_number(out, "weir.worker", traced->worker);
    if (!is_sent)
        return;
    add_words(out, "weir.batcher", traced->batcher);
    add_number(out, "messaging.batch.message_count", traced->count);
}

static void add_time(struct buffer *out, const char *name, int64_t wall_us)
{
    buffer_append_text(out, ",\"");
    buffer_append_text(out, name);
    buffer_append_text(out, "\":\"");
    buffer_append_number(out, (unsigned long long)wall_us * 1000);
    buffer_append_text(out, "\"");
}

static void add_span(struct buffer *out, const struct otlp_resource *resource,
                     const struct span_record *record)
{
    const struct traced *traced = &record->traced;
    const bool is_sent = traced->kind == TRACED_SEND;
    char name[NAME_SIZE];

    (void)snprintf(name, sizeof name, "%s %s", is_sent ? "send" : "process",
                   is_sent ? traced->batcher : traced->source);
    buffer_append_text(out, "{\"kind\":");
    buffer_append_number(out, is_sent ? KIND_PRODUCER : KIND_CONSUMER);
    buffer_append_text(out, ",\"flags\":1"); /* it is sampled */
    add_text(out, "traceId", traced->trace_id);
    add_text(out, "spanId", traced->span_id);
    if (traced->parent_id[0] != '\0')
        add_text(out, "parentSpanId", traced->parent_id);
    add_text(out, "name", name);
    add_time(out, "startTimeUnixNano", resource->wall_us + traced->begin_us);
    add_time(out, "endTimeUnixNano", resource->wall_us + traced->end_us);
    buffer_append_text(out, ",\"attributes\":[");
    add_attributes(out, resource, traced);
    buffer_append_text(out, "]");
    if (record->is_failed) {
        buffer_append_text(out, ",\"status\":{\"code\":2"); /* an error */
        add_text(out, "message", record->reason);
        buffer_append_text(out, "}");
    }
    buffer_append_text(out, "}");
}

char *otlp_request(const struct otlp_resource *resource,
                   const struct span_record *spans, size_t count)
{
    struct buffer out = {.size = 0};

    buffer_append_text(&out, "{\"resourceSpans\":[{\"resource\":{"
                             "\"attributes\":[");
    add_words(&out, "service.name", resource->service);
    add_words(&out, "host.name", resource->host);
    buffer_append_text(&out, "]},\"scopeSpans\":[{\"scope\":{"
                             "\"name\":\"weir\",\"version\":\"" WEIR_VERSION
                             "\"},\"spans\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_text(&out, ",");
        add_span(&out, resource, &spans[i]);
    }
    buffer_append(&out, "]}]}]}", sizeof "]}]}]}");
    if (!out.is_failed)
        return out.data;
    buffer_finish(&out);
    return NULL;
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
