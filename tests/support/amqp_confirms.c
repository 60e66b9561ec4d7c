/*
 * amqp_confirms.c - what a broker says to a publisher.
 *
 * Threads: the test's.
 */
#include "amqp_confirms.h"

#include <string.h>

#include "amqp_frame.h"

#define METHOD AMQP_FRAME_METHOD_ID

enum { NO_ROUTE = 312, METHOD_FRAME = 1, HEADER_FRAME = 2, BODY_FRAME = 3 };

static void send_method(struct amqp_peer *peer, uint16_t channel,
                        const struct amqp_frame_payload *out)
{
    amqp_peer_send_frame(peer, METHOD_FRAME, channel, out->bytes, out->size);
}

static void send_verdict(struct amqp_peer *peer, uint32_t method, uint64_t tag,
                         bool multiple)
{
    struct amqp_frame_payload out = amqp_frame_begin(method);

    amqp_frame_put(&out, tag, 8);
    amqp_frame_put(&out, multiple, 1);
    send_method(peer, 1, &out);
}

void amqp_peer_send_ack(struct amqp_peer *peer, uint64_t tag, bool multiple)
{
    send_verdict(peer, METHOD(60, 80), tag, multiple);
}

void amqp_peer_send_nack(struct amqp_peer *peer, uint64_t tag, bool multiple)
{
    send_verdict(peer, METHOD(60, 120), tag, multiple);
}

void amqp_peer_send_return(struct amqp_peer *peer, const char *exchange,
                           const char *routing_key)
{
    struct amqp_frame_payload out = amqp_frame_begin(METHOD(60, 50));

    amqp_frame_put(&out, NO_ROUTE, 2);
    amqp_frame_put_short_text(&out, "NO_ROUTE");
    amqp_frame_put_short_text(&out, exchange);
    amqp_frame_put_short_text(&out, routing_key);
    send_method(peer, 1, &out);
}

void amqp_peer_send_content(struct amqp_peer *peer, const void *properties,
                            size_t properties_size, const char *body,
                            size_t frame_size)
{
    struct amqp_frame_payload out = {.size = 0};
    size_t left = strlen(body);

    amqp_frame_put(&out, 60, 2);
    amqp_frame_put(&out, 0, 2);
    amqp_frame_put(&out, left, 8);
    if (properties) {
        memcpy(out.bytes + out.size, properties, properties_size);
        out.size += properties_size;
    } else {
        amqp_frame_put(&out, 0, 2);
    }
    amqp_peer_send_frame(peer, HEADER_FRAME, 1, out.bytes, out.size);
    while (left > 0) {
        const size_t size = left < frame_size ? left : frame_size;

        amqp_peer_send_frame(peer, BODY_FRAME, 1, body, size);
        body += size;
        left -= size;
    }
}

void amqp_peer_send_blocked(struct amqp_peer *peer)
{
    struct amqp_frame_payload out = amqp_frame_begin(METHOD(10, 60));

    amqp_frame_put_short_text(&out, "low on memory");
    send_method(peer, 0, &out);
}

void amqp_peer_send_unblocked(struct amqp_peer *peer)
{
    const struct amqp_frame_payload out = amqp_frame_begin(METHOD(10, 61));

    send_method(peer, 0, &out);
}
