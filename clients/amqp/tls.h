/*
 * tls.h - who a broker must prove to be, and who we are.
 */
#ifndef WEIR_CLIENTS_AMQP_TLS_H
#define WEIR_CLIENTS_AMQP_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/status.h>

#include "rabbitmq.h"

struct amqp_tls {
    const char *ca;         /* NULL: the system's */
    const char *cert, *key; /* NULL: none */
    const char *key_password;
    bool verify;
};

/* What OpenSSL lets us know of its connection; lives as long as the socket. */
struct amqp_verdict {
    long error;             /* on the peer: X509_V_*, 0: none */
    struct ssl_st *session; /* NULL: no handshake yet, or no TLS */
};

/* Prepares an unconnected TLS socket; `host` is whom the peer must prove to
 * be.  After a failed handshake `verdict` says what was wrong with it. */
WEIR_MUST_USE
enum weir_status amqp_tls_prepare(amqp_socket_t *socket, const char *host,
                                  const struct amqp_tls *tls,
                                  struct amqp_verdict *verdict,
                                  struct weir_error *err);

/* "certificate has expired"; NULL: nothing was wrong with the certificate. */
const char *amqp_verdict_text(const struct amqp_verdict *verdict);

/* Encrypts and writes what is possible at once.  WEIR_AGAIN: nothing is; what
 * is tried next must begin with the same bytes.  WEIR_RETRY: it is broken. */
WEIR_MUST_USE
enum weir_status amqp_tls_write(struct ssl_st *session, const void *bytes,
                                size_t size, size_t *ret_written);

#endif
