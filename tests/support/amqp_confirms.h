/*
 * amqp_confirms.h - what a broker says to a publisher.
 *
 * The other half of amqp_peer.h: the peer reads what is published and says
 * nothing by itself; the test confirms, returns, blocks.
 */
#ifndef WEIR_TEST_AMQP_CONFIRMS_H
#define WEIR_TEST_AMQP_CONFIRMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amqp_peer.h"

void amqp_peer_send_ack(struct amqp_peer *peer, uint64_t tag, bool multiple);
void amqp_peer_send_nack(struct amqp_peer *peer, uint64_t tag, bool multiple);

/* basic.return; its header, with these encoded properties (flags first; NULL:
 * none); its body in frames of `frame_size`. */
void amqp_peer_send_return(struct amqp_peer *peer, const char *exchange,
                           const char *routing_key);
void amqp_peer_send_content(struct amqp_peer *peer, const void *properties,
                            size_t properties_size, const char *body,
                            size_t frame_size);

void amqp_peer_send_blocked(struct amqp_peer *peer);
void amqp_peer_send_unblocked(struct amqp_peer *peer);

#endif
