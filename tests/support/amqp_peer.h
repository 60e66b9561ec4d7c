/*
 * amqp_peer.h - a small AMQP 0-9-1 broker that can misbehave.
 *
 * One thread, loopback, one client at a time, one queue that is always there.
 * It answers what a consumer or a publisher asks, keeps what it was told of
 * deliveries, and delivers nothing by itself: the test sends frames, whole or
 * in pieces; amqp_confirms.h has those for a publisher.
 */
#ifndef WEIR_TEST_AMQP_PEER_H
#define WEIR_TEST_AMQP_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct amqp_peer;

/* From where on it says nothing any more. */
enum amqp_peer_silence {
    AMQP_PEER_TALKS = 0,
    AMQP_PEER_SILENT_AT_ONCE,
    AMQP_PEER_SILENT_AFTER_LOGIN, /* channel.open has no answer */
    AMQP_PEER_SILENT_AT_DECLARE
};

struct amqp_peer_options {
    const char *greeting; /* sent instead of connection.start, then closed */
    enum amqp_peer_silence silence;
    uint16_t login_refusal;   /* a code: connection.close after start-ok */
    uint16_t declare_refusal; /* channel.close after queue.declare, or
                                 exchange.declare */
    const char *refusal_text;
    uint16_t heartbeat_s;   /* it proposes; it never sends one by itself */
    bool consumes_silently; /* reads nothing after basic.consume */
    bool publishes_unread;  /* reads nothing after confirm.select */
};

/* What the client said about deliveries. */
struct amqp_peer_verdict {
    uint16_t method; /* 80 basic.ack, 90 basic.reject */
    uint64_t tag;
    bool flag; /* multiple, or requeue */
};

/* New; listens on amqp_peer_port().  Fails the test when it can't. */
struct amqp_peer *amqp_peer_create(const struct amqp_peer_options *options);
void amqp_peer_destroy(struct amqp_peer *peer); /* NULL is fine */
int amqp_peer_port(const struct amqp_peer *peer);

/* What passive declares answer. */
void amqp_peer_set_ready(struct amqp_peer *peer, uint32_t ready);

/* To the client.  deliver() sends all of a message. */
void amqp_peer_send(struct amqp_peer *peer, const void *bytes, size_t size);
void amqp_peer_send_frame(struct amqp_peer *peer, uint8_t type,
                          uint16_t channel, const void *payload, size_t size);
void amqp_peer_send_deliver(struct amqp_peer *peer, uint64_t tag);
void amqp_peer_send_header(struct amqp_peer *peer, uint64_t body_size);
void amqp_peer_send_body(struct amqp_peer *peer, const void *body, size_t size);
void amqp_peer_deliver(struct amqp_peer *peer, uint64_t tag, const char *body);

/* basic.cancel; channel.close and connection.close with code and text. */
void amqp_peer_send_cancel(struct amqp_peer *peer);
void amqp_peer_send_close(struct amqp_peer *peer, uint16_t channel,
                          uint16_t code, const char *text);

/* The connection ends without a word. */
void amqp_peer_cut(struct amqp_peer *peer);

/* Until the client has said so much about deliveries; at most ten seconds. */
void amqp_peer_await_verdicts(struct amqp_peer *peer, size_t count);
size_t amqp_peer_verdict_count(struct amqp_peer *peer);
struct amqp_peer_verdict amqp_peer_verdict(struct amqp_peer *peer,
                                           size_t index);

/* Messages that were published whole; await: at most ten seconds. */
void amqp_peer_await_published(struct amqp_peer *peer, size_t count);
size_t amqp_peer_published(struct amqp_peer *peer);
void amqp_peer_await_heartbeats(struct amqp_peer *peer, size_t count);

/* Clients that connected so far; methods (class << 16 | method) received. */
unsigned amqp_peer_connections(struct amqp_peer *peer);
unsigned amqp_peer_method_count(struct amqp_peer *peer, uint32_t method);

#endif
