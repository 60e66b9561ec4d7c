/*
 * endpoint.h - an address and a port: "127.0.0.1:9464", "[::1]:9464", "9464".
 */
#ifndef WEIR_BASE_ENDPOINT_H
#define WEIR_BASE_ENDPOINT_H

#include <stdbool.h>
#include <sys/socket.h>

#include <weir/status.h>

struct endpoint {
    struct sockaddr_storage address;
    socklen_t size;
};

/* Asks no name server: `localhost` and a port alone are 127.0.0.1, other names
 * are refused.  WEIR_REJECT: it is none. */
WEIR_MUST_USE
enum weir_status endpoint_parse(const char *text, struct endpoint *ret_endpoint,
                                struct weir_error *err);

/* Only this machine can reach it. */
bool endpoint_is_loopback(const struct endpoint *endpoint);

unsigned endpoint_port(const struct endpoint *endpoint);

/* A host and a port: "localhost:8125", "[::1]:8125"; the host is a name or an
 * address, and nobody is asked for it.  WEIR_REJECT: it is none. */
enum { ENDPOINT_HOST_SIZE = 256, ENDPOINT_PORT_SIZE = 6 };

struct endpoint_name {
    char host[ENDPOINT_HOST_SIZE], port[ENDPOINT_PORT_SIZE];
    bool is_numeric; /* an address */
};

WEIR_MUST_USE
enum weir_status endpoint_split(const char *text,
                                struct endpoint_name *ret_name,
                                struct weir_error *err);

/* As parse() reads it, into `out`. */
enum { ENDPOINT_TEXT_SIZE = 64 };
void endpoint_format(const struct endpoint *endpoint,
                     char out[ENDPOINT_TEXT_SIZE]);

#endif
