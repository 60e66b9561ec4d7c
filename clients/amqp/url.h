/*
 * url.h - where an AMQP broker is: amqp://user:password@host:port/vhost.
 */
#ifndef WEIR_CLIENTS_AMQP_URL_H
#define WEIR_CLIENTS_AMQP_URL_H

#include <stdbool.h>

#include <weir/status.h>

struct amqp_url {
    char *host; /* without the brackets of an IPv6 address */
    char *user, *password, *vhost;
    int port;
    bool is_tls;
};

/*
 * amqp:// and amqps://.  Left out: guest, guest, 5672 (5671), vhost "/".
 * Percent escapes are undone.  WEIR_REJECT says what is wrong and never repeats
 * a part of the text, which may hold a password.
 */
WEIR_MUST_USE
enum weir_status amqp_url_parse(const char *text, struct amqp_url *ret_url,
                                struct weir_error *err);
void amqp_url_finish(struct amqp_url *url); /* zeroed is fine */

#endif
