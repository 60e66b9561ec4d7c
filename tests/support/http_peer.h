/*
 * http_peer.h - an HTTP server that says what it is told to, or nothing.
 *
 * One thread, loopback, one client after the other.  It reads a request whole
 * (the body by Content-Length), keeps it, answers, and waits for the next one
 * on the same connection.
 */
#ifndef WEIR_TEST_HTTP_PEER_H
#define WEIR_TEST_HTTP_PEER_H

#include <stddef.h>

struct http_peer;

/* New; listens.  `answer`: all that is said to each request, status line and
 * headers too; NULL: nothing, ever.  Fails the test when it can't. */
struct http_peer *http_peer_create(const char *answer);
void http_peer_destroy(struct http_peer *peer); /* NULL is fine */
int http_peer_port(const struct http_peer *peer);

/* Until so many requests came, or bytes of one that gets no answer; at most ten
 * seconds. */
void http_peer_await(struct http_peer *peer, unsigned requests);

/* The last request as it came; only after http_peer_await(). */
const char *http_peer_request(struct http_peer *peer);
unsigned http_peer_connections(struct http_peer *peer);

#endif
