/*
 * server.h - HTTP connections, by libmicrohttpd.
 */
#ifndef WEIR_ADMIN_SERVER_H
#define WEIR_ADMIN_SERVER_H

#include <stdint.h>

#include "respond.h"

struct server;

struct server_config {
    const struct site *site;
    int fd;           /* listens; taken, also on failure */
    char *cert, *key; /* PEM texts; NULL: no TLS */
};

WEIR_MUST_USE
enum weir_status server_open(const struct server_config *config,
                             struct server **ret_server,
                             struct weir_error *err);
void server_close(struct server *server); /* NULL is fine */

/* Readable when server_serve() has something to do, which it has also after
 * server_wait_ms(). */
int server_fd(const struct server *server);
int server_wait_ms(const struct server *server, int most_ms);
void server_serve(struct server *server, int64_t now_us);

#endif
