/*
 * delivery.c - one message that was read, with memory of its own.
 *
 * What the library decoded lives in pages that it wants back at every message's
 * end; a message may have to wait while the pipeline is full.  So header and
 * properties are turned into the record's form at once, in one buffer that is
 * large enough before the first byte is written: pointers into it stay valid.
 *
 * Headers keep their bytes where they are text.  Numbers and times become
 * decimal text, booleans "true" and "false"; what has no plain text (arrays,
 * tables) is present without a value.
 *
 * Threads: the producer's own.
 */
#include "delivery.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text_property.h"

/* The longest number as text, and what a reused object may keep. */
enum { NUMBER_SIZE = 32, KEPT_SIZE = 65536 };

_Static_assert(AMQP_TEXT_PROPERTIES + 5 <= DELIVERY_PROPERTIES,
               "texts, exchange, routing_key, redelivered, priority, mode");

struct delivery *delivery_create(void)
{
    return calloc(1, sizeof(struct delivery));
}

void delivery_destroy(struct delivery *delivery)
{
    if (!delivery)
        return;
    free(delivery->headers);
    free(delivery->text);
    free(delivery->body);
    free(delivery);
}

void delivery_recycle(struct delivery *delivery)
{
    if (delivery->body_capacity > KEPT_SIZE) {
        free(delivery->body);
        delivery->body = NULL;
        delivery->body_capacity = 0;
    }
    if (delivery->text_capacity > KEPT_SIZE) {
        free(delivery->text);
        delivery->text = NULL;
        delivery->text_capacity = 0;
    }
}

static enum weir_status reserve(char **buffer, size_t *capacity, size_t size,
                                struct weir_error *err)
{
    char *larger;

    if (size <= *capacity)
        return WEIR_OK;
    larger = realloc(*buffer, size);
    if (!larger)
        return weir_fail(err, WEIR_RETRY,
                         "no memory for a message of %zu bytes", size);
    *buffer = larger;
    *capacity = size;
    return WEIR_OK;
}

/* An amqp_bytes_t that is there but empty may have no address. */
static struct weir_bytes copy_bytes(struct delivery *delivery,
                                    amqp_bytes_t bytes)
{
    char *to = delivery->text + delivery->text_size;

    if (bytes.len > 0)
        memcpy(to, bytes.bytes, bytes.len);
    delivery->text_size += bytes.len;
    return (struct weir_bytes){.data = to, .size = bytes.len};
}

/* Most messages have a number, and printf costs more than all else here. */
static struct weir_bytes write_unsigned(struct delivery *delivery,
                                        uint64_t number)
{
    char digits[NUMBER_SIZE];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return copy_bytes(delivery, (amqp_bytes_t){.len = sizeof digits - at,
                                               .bytes = digits + at});
}

static struct weir_bytes write_signed(struct delivery *delivery, int64_t number)
{
    char *to = delivery->text + delivery->text_size;
    struct weir_bytes digits;

    if (number >= 0)
        return write_unsigned(delivery, (uint64_t)number);
    *to = '-';
    delivery->text_size++;
    digits = write_unsigned(delivery, 0 - (uint64_t)number);
    return (struct weir_bytes){.data = to, .size = digits.size + 1};
}

WEIR_PRINTF(2, 3)
static struct weir_bytes print(struct delivery *delivery, const char *fmt, ...)
{
    char *to = delivery->text + delivery->text_size;
    va_list args;
    int size;

    va_start(args, fmt);
    size = vsnprintf(to, NUMBER_SIZE, fmt, args);
    va_end(args);
    if (size < 0)
        size = 0;
    if (size >= NUMBER_SIZE)
        size = NUMBER_SIZE - 1;
    delivery->text_size += (size_t)size;
    return (struct weir_bytes){.data = to, .size = (size_t)size};
}

/* Whether the field is a whole number, and which. */
static bool integer_of(const amqp_field_value_t *field, int64_t *ret_value)
{
    switch (field->kind) {
    case AMQP_FIELD_KIND_I8:
        *ret_value = (int64_t)field->value.i8; /* NOLINT: it has a sign */
        return true;
    case AMQP_FIELD_KIND_U8:
        *ret_value = field->value.u8;
        return true;
    case AMQP_FIELD_KIND_I16:
        *ret_value = field->value.i16;
        return true;
    case AMQP_FIELD_KIND_U16:
        *ret_value = field->value.u16;
        return true;
    case AMQP_FIELD_KIND_I32:
        *ret_value = field->value.i32;
        return true;
    case AMQP_FIELD_KIND_U32:
        *ret_value = field->value.u32;
        return true;
    case AMQP_FIELD_KIND_I64:
        *ret_value = field->value.i64;
        return true;
    default:
        return false;
    }
}

static struct weir_bytes field_text(struct delivery *delivery,
                                    const amqp_field_value_t *field)
{
    int64_t number;

    if (integer_of(field, &number))
        return write_signed(delivery, number);
    switch (field->kind) {
    case AMQP_FIELD_KIND_UTF8:
    case AMQP_FIELD_KIND_BYTES:
        return copy_bytes(delivery, field->value.bytes);
    case AMQP_FIELD_KIND_BOOLEAN:
        return weir_str(field->value.boolean ? "true" : "false");
    case AMQP_FIELD_KIND_U64:
    case AMQP_FIELD_KIND_TIMESTAMP:
        return write_unsigned(delivery, field->value.u64);
    case AMQP_FIELD_KIND_F32:
        return print(delivery, "%.9g", (double)field->value.f32);
    case AMQP_FIELD_KIND_F64:
        return print(delivery, "%.17g", field->value.f64);
    default:
        return (struct weir_bytes){.data = NULL};
    }
}

static const amqp_field_value_t *find_field(const amqp_table_t *table,
                                            const char *name)
{
    for (int i = 0; i < table->num_entries; i++) {
        const amqp_bytes_t key = table->entries[i].key;

        if (key.len == strlen(name) && memcmp(key.bytes, name, key.len) == 0)
            return &table->entries[i].value;
    }
    return NULL;
}

static bool is_text(const amqp_field_value_t *field, const char *text)
{
    return field &&
           (field->kind == AMQP_FIELD_KIND_UTF8 ||
            field->kind == AMQP_FIELD_KIND_BYTES) &&
           field->value.bytes.len == strlen(text) &&
           memcmp(field->value.bytes.bytes, text, strlen(text)) == 0;
}

/* How often it was rejected from `queue`, by one entry of x-death. */
static int64_t rejections(const amqp_field_value_t *death, const char *queue)
{
    const amqp_field_value_t *count;
    int64_t number;

    if (death->kind != AMQP_FIELD_KIND_TABLE)
        return 0;
    count = find_field(&death->value.table, "count");
    if (!count || !integer_of(count, &number) || number < 0 ||
        !is_text(find_field(&death->value.table, "queue"), queue) ||
        !is_text(find_field(&death->value.table, "reason"), "rejected"))
        return 0;
    return number;
}

/* What a quorum queue counts on this stay, and deaths of earlier stays. */
static void count_deliveries(struct delivery *delivery, const char *queue,
                             const amqp_table_t *headers)
{
    const amqp_field_value_t *stay = find_field(headers, "x-delivery-count");
    const amqp_field_value_t *deaths = find_field(headers, "x-death");
    int64_t count = 0;

    if (stay && integer_of(stay, &count) && count >= 0)
        delivery->broker_count = count;
    else
        count = 0;
    if (deaths && deaths->kind == AMQP_FIELD_KIND_ARRAY) {
        for (int i = 0; i < deaths->value.array.num_entries; i++)
            count += rejections(&deaths->value.array.entries[i], queue);
    }
    delivery->record.deliveries =
        count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

/* An upper bound of the text that one header needs. */
static size_t field_size(const amqp_field_value_t *field)
{
    if (field->kind == AMQP_FIELD_KIND_UTF8 ||
        field->kind == AMQP_FIELD_KIND_BYTES)
        return field->value.bytes.len;
    return NUMBER_SIZE;
}

static amqp_bytes_t text_property(const amqp_basic_properties_t *properties,
                                  size_t index)
{
    amqp_bytes_t bytes = amqp_empty_bytes;

    if (properties->_flags & amqp_text_properties[index].flag)
        memcpy(&bytes,
               (const char *)properties + amqp_text_properties[index].offset,
               sizeof(bytes));
    return bytes;
}

/* Room for everything, so that no pointer into it moves. */
static enum weir_status make_room(struct delivery *delivery,
                                  const amqp_basic_deliver_t *deliver,
                                  const amqp_basic_properties_t *properties,
                                  const amqp_table_t *headers,
                                  struct weir_error *err)
{
    const size_t count = (size_t)headers->num_entries;
    size_t size = deliver->exchange.len + deliver->routing_key.len +
                  (size_t)NUMBER_SIZE * 4;

    for (size_t i = 0; i < AMQP_TEXT_PROPERTIES; i++)
        size += text_property(properties, i).len;
    for (size_t i = 0; i < count; i++)
        size += headers->entries[i].key.len +
                field_size(&headers->entries[i].value);
    if (count > delivery->header_capacity) {
        struct weir_header *larger =
            realloc(delivery->headers, count * sizeof(*larger));

        if (!larger)
            return weir_fail(err, WEIR_RETRY, "no memory for %zu headers",
                             count);
        delivery->headers = larger;
        delivery->header_capacity = count;
    }
    return reserve(&delivery->text, &delivery->text_capacity, size, err);
}

static void add_property(struct delivery *delivery, const char *name,
                         struct weir_bytes value)
{
    delivery->properties[delivery->record.property_count++] =
        (struct weir_header){.name = weir_str(name), .value = value};
}

static void add_properties(struct delivery *delivery,
                           const amqp_basic_deliver_t *deliver,
                           const amqp_basic_properties_t *properties)
{
    const amqp_flags_t flags = properties->_flags;

    add_property(delivery, "exchange", copy_bytes(delivery, deliver->exchange));
    add_property(delivery, "routing_key",
                 copy_bytes(delivery, deliver->routing_key));
    add_property(delivery, "redelivered",
                 weir_str(deliver->redelivered ? "true" : "false"));
    for (size_t i = 0; i < AMQP_TEXT_PROPERTIES; i++) {
        if (flags & amqp_text_properties[i].flag)
            add_property(delivery, amqp_text_properties[i].name,
                         copy_bytes(delivery, text_property(properties, i)));
    }
    if (flags & AMQP_BASIC_PRIORITY_FLAG)
        add_property(delivery, "priority",
                     write_unsigned(delivery, properties->priority));
    if (flags & AMQP_BASIC_DELIVERY_MODE_FLAG)
        add_property(delivery, "delivery_mode",
                     write_unsigned(delivery, properties->delivery_mode));
    if (flags & AMQP_BASIC_TIMESTAMP_FLAG &&
        properties->timestamp <= INT64_MAX / 1000)
        delivery->record.timestamp_ms = (int64_t)properties->timestamp * 1000;
}

static void add_headers(struct delivery *delivery, const amqp_table_t *headers)
{
    for (int i = 0; i < headers->num_entries; i++) {
        struct weir_header *header = &delivery->headers[i];

        header->name = copy_bytes(delivery, headers->entries[i].key);
        header->value = field_text(delivery, &headers->entries[i].value);
    }
    delivery->record.headers = delivery->headers;
    delivery->record.header_count = (size_t)headers->num_entries;
}

enum weir_status delivery_begin(struct delivery *delivery, const char *queue,
                                const amqp_basic_deliver_t *deliver,
                                const amqp_basic_properties_t *properties,
                                struct weir_error *err)
{
    const amqp_table_t none = {.num_entries = 0};
    const amqp_table_t *headers = properties->_flags & AMQP_BASIC_HEADERS_FLAG
                                      ? &properties->headers
                                      : &none;
    enum weir_status status =
        make_room(delivery, deliver, properties, headers, err);

    if (status != WEIR_OK)
        return status;
    delivery->text_size = 0;
    delivery->body_size = 0;
    delivery->broker_count = -1;
    delivery->is_redelivered = deliver->redelivered;
    delivery->record = (struct weir_record){
        .ticket = deliver->delivery_tag,
        .offset = -1,
        .timestamp_ms = -1,
        .payload = {.data = "", .size = 0},
        .properties = delivery->properties,
    };
    add_properties(delivery, deliver, properties);
    add_headers(delivery, headers);
    count_deliveries(delivery, queue, headers);
    return WEIR_OK;
}

enum weir_status delivery_append(struct delivery *delivery, amqp_bytes_t part,
                                 size_t body_size, struct weir_error *err)
{
    const enum weir_status status =
        reserve(&delivery->body, &delivery->body_capacity, body_size, err);

    if (status != WEIR_OK)
        return status;
    memcpy(delivery->body + delivery->body_size, part.bytes, part.len);
    delivery->body_size += part.len;
    delivery->record.payload = (struct weir_bytes){.data = delivery->body,
                                                   .size = delivery->body_size};
    return WEIR_OK;
}
