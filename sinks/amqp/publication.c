/*
 * publication.c - a message as it is published.
 *
 * Where it came from another AMQP queue it leaves with the same properties and
 * headers, but for
 *
 *   delivery_mode   persistent, unless told otherwise
 *   user_id         the broker refuses any but the publisher's own
 *   x-death, x-first-death-*, x-last-death-*, x-delivery-count
 *                   what brokers noted on it; sent again, they would drop it
 *                   as a message that goes in circles
 *   CC, BCC         where else the last publisher wanted it
 *
 * A message from Kafka has what AMQP has no place for:
 *
 *   key             header `weir-key`
 *   null payload    an empty body, and header `weir-payload-null` "true"
 *   timestamp       property `timestamp`, which has seconds; if there are
 *                   milliseconds, header `timestamp_in_ms` has it all
 *   repeated header the last one: names in a table are unique
 *
 * Header values are text to the broker; one without a value is void.
 *
 * Threads: no state.
 */
#include "publication.h"

#include <stdlib.h>
#include <string.h>

#include "message_text.h"
#include "template.h"
#include "text_property.h"

/* Headers of our own: key, null, time. */
enum { OWN_HEADERS = 3, MS = 1000 };

static const char *const dropped[] = {"BCC", "CC", "x-death",
                                      "x-delivery-count"};
static const char *const dropped_prefixes[] = {"x-first-death-",
                                               "x-last-death-"};

static enum weir_status read_template(const struct weir_settings *settings,
                                      const char *path,
                                      struct template **ret_template,
                                      struct weir_error *err)
{
    const char *text = weir_settings_string(settings, path);

    return template_parse(text ? text : "", ret_template, err);
}

enum weir_status publication_plan_read(struct publication_plan *plan,
                                       const struct weir_settings *settings,
                                       struct weir_error *err)
{
    enum weir_status status =
        read_template(settings, "exchange", &plan->exchange, err);

    if (status == WEIR_OK)
        status =
            read_template(settings, "routing_key", &plan->routing_key, err);
    plan->mandatory = weir_settings_bool(settings, "mandatory", true);
    plan->persistent = weir_settings_bool(settings, "persistent", true);
    return status;
}

void publication_plan_finish(struct publication_plan *plan)
{
    template_destroy(plan->exchange);
    template_destroy(plan->routing_key);
    *plan = (struct publication_plan){.exchange = NULL};
}

bool publication_exchange_varies(const struct publication_plan *plan)
{
    return template_name_count(plan->exchange) > 0;
}

bool publication_routing_key_varies(const struct publication_plan *plan)
{
    return template_name_count(plan->routing_key) > 0;
}

void publication_finish(struct publication *publication)
{
    free(publication->entries);
    publication->entries = NULL;
    publication->entry_capacity = 0;
}

/* The library's bytes are not const, though it only reads them. */
static amqp_bytes_t bytes_of(struct weir_bytes bytes)
{
    amqp_bytes_t same = {.len = bytes.size};

    memcpy(&same.bytes, &bytes.data, sizeof same.bytes);
    return same;
}

static enum weir_status make_name(const struct template *template,
                                  const struct weir_message *msg,
                                  const char *what, char out[AMQP_NAME_MAX + 1],
                                  amqp_bytes_t *ret_bytes,
                                  struct weir_error *err)
{
    const char *absent = NULL;
    const size_t size =
        message_text_render(template, msg, out, AMQP_NAME_MAX, &absent);

    if (absent)
        return weir_fail(err, WEIR_REJECT,
                         "the %s needs %%{%s}, and the message has none", what,
                         absent);
    if (size > AMQP_NAME_MAX)
        return weir_fail(err, WEIR_REJECT,
                         "the %s has %zu bytes, and AMQP takes 255", what,
                         size);
    *ret_bytes = (amqp_bytes_t){.len = size, .bytes = out};
    return WEIR_OK;
}

static enum weir_status add_texts(amqp_basic_properties_t *properties,
                                  const struct weir_message *msg,
                                  struct weir_error *err)
{
    for (size_t i = 0; i < AMQP_TEXT_PROPERTIES; i++) {
        const struct amqp_text_property *property = &amqp_text_properties[i];
        const struct weir_bytes value =
            weir_message_property(msg, property->name);
        const amqp_bytes_t bytes = bytes_of(value);

        if (!value.data || property->flag == AMQP_BASIC_USER_ID_FLAG)
            continue;
        if (value.size > AMQP_NAME_MAX)
            return weir_fail(err, WEIR_REJECT,
                             "property %s has %zu bytes, and AMQP takes 255",
                             property->name, value.size);
        properties->_flags |= property->flag;
        memcpy((char *)properties + property->offset, &bytes, sizeof bytes);
    }
    return WEIR_OK;
}

static void add_priority(amqp_basic_properties_t *properties,
                         const struct weir_message *msg)
{
    const struct weir_bytes text = weir_message_property(msg, "priority");
    unsigned priority = 0;

    if (!text.data || text.size == 0 || text.size > 3)
        return;
    for (size_t i = 0; i < text.size; i++) {
        const char digit = ((const char *)text.data)[i];

        if (digit < '0' || digit > '9')
            return;
        priority = priority * 10 + (unsigned)(digit - '0');
    }
    if (priority > UINT8_MAX)
        return;
    properties->_flags |= AMQP_BASIC_PRIORITY_FLAG;
    properties->priority = (uint8_t)priority;
}

static bool has_name(struct weir_bytes name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

static bool is_dropped(struct weir_bytes name)
{
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++) {
        if (has_name(name, dropped[i]))
            return true;
    }
    for (size_t i = 0; i < sizeof dropped_prefixes / sizeof dropped_prefixes[0];
         i++) {
        const size_t size = strlen(dropped_prefixes[i]);

        if (name.size >= size &&
            memcmp(name.data, dropped_prefixes[i], size) == 0)
            return true;
    }
    return false;
}

/* The entry of that name, or a new one. */
static amqp_field_value_t *entry_of(amqp_table_t *table, amqp_bytes_t name)
{
    amqp_table_entry_t *entry;

    for (int i = 0; i < table->num_entries; i++) {
        const amqp_bytes_t other = table->entries[i].key;

        if (other.len == name.len &&
            memcmp(other.bytes, name.bytes, name.len) == 0)
            return &table->entries[i].value;
    }
    entry = &table->entries[table->num_entries++];
    entry->key = name;
    return &entry->value;
}

static void set_text(amqp_table_t *table, amqp_bytes_t name,
                     struct weir_bytes text)
{
    *entry_of(table, name) = (amqp_field_value_t){
        .kind = text.data ? AMQP_FIELD_KIND_UTF8 : AMQP_FIELD_KIND_VOID,
        .value = {.bytes = bytes_of(text)}};
}

static enum weir_status add_received(amqp_table_t *table,
                                     const struct weir_message *msg,
                                     struct weir_error *err)
{
    const size_t count = weir_message_header_count(msg);

    for (size_t i = 0; i < count; i++) {
        const struct weir_header header = weir_message_header(msg, i);

        if (is_dropped(header.name))
            continue;
        if (header.name.size > AMQP_NAME_MAX)
            return weir_fail(err, WEIR_REJECT,
                             "a header's name has %zu bytes, and AMQP takes "
                             "255",
                             header.name.size);
        set_text(table, bytes_of(header.name), header.value);
    }
    return WEIR_OK;
}

static void add_own(amqp_table_t *table, const struct weir_message *msg)
{
    const struct weir_bytes key = weir_message_key(msg);
    const int64_t timestamp_ms = weir_message_timestamp_ms(msg);

    if (key.data)
        set_text(table, amqp_cstring_bytes("weir-key"), key);
    /* The payload of a dead letter may have been left out instead. */
    if (!weir_message_payload(msg).data &&
        !weir_message_find_header(msg, "weir-payload-omitted").data)
        set_text(table, amqp_cstring_bytes("weir-payload-null"),
                 weir_str("true"));
    if (timestamp_ms > 0 && timestamp_ms % MS != 0)
        *entry_of(table, amqp_cstring_bytes("timestamp_in_ms")) =
            (amqp_field_value_t){.kind = AMQP_FIELD_KIND_I64,
                                 .value = {.i64 = timestamp_ms}};
}

static enum weir_status add_headers(struct publication *publication,
                                    const struct weir_message *msg,
                                    struct weir_error *err)
{
    const size_t most = weir_message_header_count(msg) + OWN_HEADERS;
    amqp_basic_properties_t *properties = &publication->properties;
    enum weir_status status;

    if (most > publication->entry_capacity) {
        amqp_table_entry_t *larger = realloc(
            publication->entries, most * sizeof publication->entries[0]);

        if (!larger)
            return weir_fail(err, WEIR_RETRY, "no memory for %zu headers",
                             most);
        publication->entries = larger;
        publication->entry_capacity = most;
    }
    properties->headers.entries = publication->entries;
    status = add_received(&properties->headers, msg, err);
    if (status != WEIR_OK)
        return status;
    add_own(&properties->headers, msg);
    if (properties->headers.num_entries > 0)
        properties->_flags |= AMQP_BASIC_HEADERS_FLAG;
    return WEIR_OK;
}

static enum weir_status make_properties(struct publication *publication,
                                        bool is_persistent,
                                        const struct weir_message *msg,
                                        struct weir_error *err)
{
    amqp_basic_properties_t *properties = &publication->properties;
    const int64_t timestamp_ms = weir_message_timestamp_ms(msg);
    enum weir_status status;

    *properties = (amqp_basic_properties_t){
        ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
        .delivery_mode = is_persistent ? AMQP_DELIVERY_PERSISTENT
                                       : AMQP_DELIVERY_NONPERSISTENT};
    status = add_texts(properties, msg, err);
    if (status != WEIR_OK)
        return status;
    add_priority(properties, msg);
    if (timestamp_ms >= 0) {
        properties->_flags |= AMQP_BASIC_TIMESTAMP_FLAG;
        properties->timestamp = (uint64_t)timestamp_ms / MS;
    }
    return add_headers(publication, msg, err);
}

enum weir_status publication_make(struct publication *publication,
                                  const struct publication_plan *plan,
                                  const struct weir_message *msg,
                                  struct weir_error *err)
{
    enum weir_status status;

    publication->method = (amqp_basic_publish_t){.mandatory = plan->mandatory};
    status = make_name(plan->exchange, msg, "exchange", publication->exchange,
                       &publication->method.exchange, err);
    if (status == WEIR_OK)
        status = make_name(plan->routing_key, msg, "routing key",
                           publication->routing_key,
                           &publication->method.routing_key, err);
    if (status == WEIR_OK)
        status = make_properties(publication, plan->persistent, msg, err);
    publication->body = weir_message_payload(msg);
    return status;
}
