/*
 * amqp_headers_fuzz.c - any bytes as the content header of a delivery.
 *
 * The library decodes them, or refuses; of what it decoded a record is made,
 * with every header of the table and every property that is set.
 */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "delivery.h"
#include "invariant.h"
#include "rabbitmq.h"

/* Touches every byte, so that one that isn't there is noticed. */
static void read_all(struct weir_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        (void)((const volatile unsigned char *)bytes.data)[i];
}

static void check(const struct weir_header *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        read_all(fields[i].name);
        read_all(fields[i].value);
    }
}

static void deliver(struct delivery *delivery,
                    const amqp_basic_properties_t *properties, size_t size)
{
    const amqp_basic_deliver_t deliver = {
        .delivery_tag = 1,
        .redelivered = size % 2 == 0,
        .exchange = amqp_cstring_bytes("exchange"),
        .routing_key = amqp_cstring_bytes("key")};
    struct weir_error err = {0};

    if (delivery_begin(delivery, "queue", &deliver, properties, &err) !=
        WEIR_OK)
        return;
    INVARIANT(delivery->record.property_count <= DELIVERY_PROPERTIES);
    INVARIANT(delivery->broker_count >= -1);
    check(delivery->record.headers, delivery->record.header_count);
    check(delivery->record.properties, delivery->record.property_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct delivery *delivery = delivery_create();
    amqp_bytes_t encoded = {.len = size, .bytes = malloc(size > 0 ? size : 1)};
    void *decoded = NULL;
    amqp_pool_t pool;

    init_amqp_pool(&pool, 4096);
    if (delivery && encoded.bytes) {
        memcpy(encoded.bytes, data, size);
        if (amqp_decode_properties(AMQP_BASIC_CLASS, &pool, encoded,
                                   &decoded) == AMQP_STATUS_OK)
            deliver(delivery, decoded, size);
    }
    free(encoded.bytes);
    empty_amqp_pool(&pool);
    delivery_destroy(delivery);
    return 0;
}
