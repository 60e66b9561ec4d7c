/*
 * amqp_deliveries.c - what a broker says to a consumer: the part of amqp_peer.h
 * that is frames and nothing else.
 *
 * Threads: the test's.
 */
#include "amqp_peer.h"

#include <string.h>

#include "amqp_frame.h"

#define METHOD AMQP_FRAME_METHOD_ID

void amqp_peer_send_deliver(struct amqp_peer *peer, uint64_t tag)
{
    struct amqp_frame_payload out = amqp_frame_begin(METHOD(60, 60));

    amqp_frame_put_short_text(&out, "weir");
    amqp_frame_put(&out, tag, 8);
    amqp_frame_put(&out, 0, 1);
    amqp_frame_put_short_text(&out, "");
    amqp_frame_put_short_text(&out, "q");
    amqp_peer_send_frame(peer, 1, 1, out.bytes, out.size);
}

void amqp_peer_send_header(struct amqp_peer *peer, uint64_t body_size)
{
    struct amqp_frame_payload out = {.size = 0};

    amqp_frame_put(&out, 60, 2);
    amqp_frame_put(&out, 0, 2);
    amqp_frame_put(&out, body_size, 8);
    amqp_frame_put(&out, 0, 2); /* no properties */
    amqp_peer_send_frame(peer, 2, 1, out.bytes, out.size);
}

void amqp_peer_send_body(struct amqp_peer *peer, const void *body, size_t size)
{
    amqp_peer_send_frame(peer, 3, 1, body, size);
}

void amqp_peer_deliver(struct amqp_peer *peer, uint64_t tag, const char *body)
{
    amqp_peer_send_deliver(peer, tag);
    amqp_peer_send_header(peer, strlen(body));
    if (body[0] != '\0')
        amqp_peer_send_body(peer, body, strlen(body));
}

void amqp_peer_send_cancel(struct amqp_peer *peer)
{
    struct amqp_frame_payload out = amqp_frame_begin(METHOD(60, 30));

    amqp_frame_put_short_text(&out, "weir");
    amqp_frame_put(&out, 1, 1);
    amqp_peer_send_frame(peer, 1, 1, out.bytes, out.size);
}
