/*
 * bare_amqp.c - the loop of who knows the client well: frames, not
 * amqp_consume_message(), and one acknowledgement for 100 messages.
 *
 * usage: bench_bare_amqp URL QUEUE TYPE COUNT OUT PREFETCH [--latency]
 *
 * It ends after COUNT messages.  A body that comes in one frame is handled
 * where it lies.
 *
 * Threads: one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "meter.h"
#include "queue.h"

enum { CHANNEL = 1, ACK_EVERY = 100, WAIT_MS = 10000 };

struct consumer {
    amqp_connection_state_t link;
    struct meter meter;
    uint64_t tag, acked, count, left;
    uint64_t ack_every;
};

static void acknowledge(struct consumer *consumer)
{
    if (consumer->tag == consumer->acked)
        return;
    if (amqp_basic_ack(consumer->link, CHANNEL, consumer->tag, 1) !=
        AMQP_STATUS_OK)
        exit(69);
    consumer->acked = consumer->tag;
}

static void take_method(struct consumer *consumer, const amqp_method_t *method)
{
    if (method->id == AMQP_BASIC_DELIVER_METHOD) {
        const amqp_basic_deliver_t *deliver = method->decoded;

        consumer->tag = deliver->delivery_tag;
        return;
    }
    (void)fprintf(stderr, "bare_amqp: unexpected method %s\n",
                  amqp_method_name(method->id));
    exit(69);
}

static void take_body(struct consumer *consumer, amqp_bytes_t body)
{
    consumer->left -= body.len;
    if (consumer->left > 0)
        return;
    meter_handle(&consumer->meter, body.bytes, body.len);
    if (consumer->tag - consumer->acked >= consumer->ack_every)
        acknowledge(consumer);
    if (consumer->meter.count % 64 == 0)
        amqp_maybe_release_buffers(consumer->link);
}

static void consume(struct consumer *consumer)
{
    amqp_frame_t frame;

    while (consumer->meter.count < consumer->count) {
        if (!queue_frame(consumer->link, &frame, WAIT_MS)) {
            (void)fprintf(stderr, "bare_amqp: nothing comes any more\n");
            exit(69);
        }
        if (frame.frame_type == AMQP_FRAME_METHOD)
            take_method(consumer, &frame.payload.method);
        else if (frame.frame_type == AMQP_FRAME_HEADER)
            consumer->left = frame.payload.properties.body_size;
        else if (frame.frame_type == AMQP_FRAME_BODY)
            take_body(consumer, frame.payload.body_fragment);
    }
    acknowledge(consumer);
}

int main(int argc, char **argv)
{
    struct consumer consumer = {0};

    if (argc < 7) {
        (void)fprintf(stderr, "usage: bench_bare_amqp URL QUEUE TYPE COUNT OUT "
                              "PREFETCH [--latency]\n");
        return 64;
    }
    consumer.meter.has_latency = argc > 7 && strcmp(argv[7], "--latency") == 0;
    consumer.ack_every = consumer.meter.has_latency ? 1 : ACK_EVERY;
    consumer.count = strtoull(argv[4], NULL, 10);
    consumer.link = queue_open(argv[1], argv[2], argv[3]);
    (void)amqp_basic_qos(consumer.link, CHANNEL, 0,
                         (uint16_t)strtoul(argv[6], NULL, 10), 0);
    queue_must(consumer.link, "setting the prefetch");
    (void)amqp_basic_consume(consumer.link, CHANNEL,
                             amqp_cstring_bytes(argv[2]), amqp_empty_bytes, 0,
                             0, 0, amqp_empty_table);
    queue_must(consumer.link, "consuming");
    printf("prefetch=%s\n", argv[6]);
    consume(&consumer);
    meter_finish(&consumer.meter, argv[5]);
    queue_close(consumer.link);
    return 0;
}
