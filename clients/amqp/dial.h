/*
 * dial.h - a TCP connection, or the operating system's reason why not.
 */
#ifndef WEIR_CLIENTS_AMQP_DIAL_H
#define WEIR_CLIENTS_AMQP_DIAL_H

#include <stdint.h>

#include <weir/status.h>

#include "guard.h"

/*
 * Resolves (which blocks as long as the resolver does) and connects to one
 * address after the other, until the deadline or `guard` is woken.  On WEIR_OK
 * *ret_socket is a new non-blocking descriptor.
 */
WEIR_MUST_USE
enum weir_status amqp_dial(const char *host, int port, int64_t deadline_us,
                           struct amqp_guard *guard, int *ret_socket,
                           struct weir_error *err);

/* What every connection wants: no delay, and an end when the peer is gone. */
void amqp_dial_tune(int socket);

/* A broker that reads nothing for a while, and says so, is not gone. */
void amqp_dial_set_patient(int socket);

#endif
