/*
 * assembly.c - frames of one channel become messages.
 *
 *     basic.deliver    header            body      body ...
 *     tag, routing     properties,       up to 128 KiB each, body_size in all
 *     key, exchange    body_size
 *
 * The three may be any time apart, and heartbeats come between.  A body larger
 * than the limit is never kept: its size is the record's `omitted`, its frames
 * pass by.  A peer that sends what may not come now is not believed any more.
 *
 * Threads: the producer's own.
 */
#include "assembly.h"

#include <inttypes.h>

void assembly_finish(struct assembly *assembly)
{
    delivery_destroy(assembly->delivery);
    assembly->delivery = NULL;
    while (assembly->spare) {
        struct delivery *next = assembly->spare->next;

        delivery_destroy(assembly->spare);
        assembly->spare = next;
    }
    assembly->deliver = NULL;
    assembly->step = ASSEMBLY_IDLE;
}

void assembly_recycle(struct assembly *assembly, struct delivery *delivery)
{
    delivery_recycle(delivery);
    delivery->next = assembly->spare;
    assembly->spare = delivery;
}

enum weir_status assembly_deliver(struct assembly *assembly,
                                  const amqp_basic_deliver_t *deliver,
                                  struct weir_error *err)
{
    if (assembly->step != ASSEMBLY_IDLE)
        return weir_fail(err, WEIR_RETRY,
                         "the broker began a message inside another");
    assembly->deliver = deliver;
    assembly->step = ASSEMBLY_HEADER;
    return WEIR_OK;
}

static struct delivery *take_spare(struct assembly *assembly)
{
    struct delivery *delivery = assembly->spare;

    if (!delivery)
        return delivery_create();
    assembly->spare = delivery->next;
    delivery->next = NULL;
    return delivery;
}

static struct delivery *complete(struct assembly *assembly)
{
    struct delivery *delivery = assembly->delivery;

    assembly->delivery = NULL;
    assembly->step = ASSEMBLY_IDLE;
    return delivery;
}

static enum weir_status take_header(struct assembly *assembly,
                                    const amqp_frame_t *frame,
                                    struct delivery **ret_delivery,
                                    struct weir_error *err)
{
    struct delivery *delivery = take_spare(assembly);
    enum weir_status status;

    if (!delivery)
        return weir_fail(err, WEIR_RETRY, "no memory for a message");
    assembly->delivery = delivery;
    status = delivery_begin(delivery, assembly->queue, assembly->deliver,
                            frame->payload.properties.decoded, err);
    assembly->deliver = NULL; /* the library may reuse it from here on */
    if (status != WEIR_OK)
        return status;
    assembly->body_size = frame->payload.properties.body_size;
    assembly->missing = assembly->body_size;
    if (assembly->body_size > assembly->max_body) {
        delivery->record.omitted = (size_t)assembly->body_size;
        delivery->record.payload = (struct weir_bytes){.data = NULL};
    }
    assembly->step = ASSEMBLY_BODY;
    if (assembly->missing == 0)
        *ret_delivery = complete(assembly);
    return WEIR_OK;
}

static enum weir_status take_body(struct assembly *assembly,
                                  const amqp_frame_t *frame,
                                  struct delivery **ret_delivery,
                                  struct weir_error *err)
{
    const amqp_bytes_t part = frame->payload.body_fragment;
    enum weir_status status;

    if (part.len > assembly->missing)
        return weir_fail(err, WEIR_RETRY,
                         "a message of %" PRIu64 " bytes has too much "
                         "body",
                         assembly->body_size);
    if (part.len > 0 && assembly->delivery->record.omitted == 0) {
        status = delivery_append(assembly->delivery, part,
                                 (size_t)assembly->body_size, err);
        if (status != WEIR_OK)
            return status;
    }
    assembly->missing -= part.len;
    if (assembly->missing == 0)
        *ret_delivery = complete(assembly);
    return WEIR_OK;
}

enum weir_status assembly_frame(struct assembly *assembly,
                                const amqp_frame_t *frame,
                                struct delivery **ret_delivery,
                                struct weir_error *err)
{
    *ret_delivery = NULL;
    if (frame->frame_type == AMQP_FRAME_HEADER &&
        frame->payload.properties.class_id == AMQP_BASIC_CLASS &&
        assembly->step == ASSEMBLY_HEADER)
        return take_header(assembly, frame, ret_delivery, err);
    if (frame->frame_type == AMQP_FRAME_BODY && assembly->step == ASSEMBLY_BODY)
        return take_body(assembly, frame, ret_delivery, err);
    return weir_fail(err, WEIR_RETRY,
                     "the broker sent a frame of type %u where it may "
                     "not come",
                     (unsigned)frame->frame_type);
}
