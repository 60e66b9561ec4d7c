/*
 * http_url.h - where an HTTP server is: http://user:password@host:port/path.
 */
#ifndef WEIR_CLIENTS_HTTP_URL_H
#define WEIR_CLIENTS_HTTP_URL_H

#include <weir/status.h>

struct http_url {
    char *text; /* without userinfo, query and the slashes at its end: may be
                   shown, and a path may follow */
    char *user, *password; /* NULL: none in it */
};

/*
 * http:// and https://; percent escapes of the userinfo are undone.
 * WEIR_REJECT says what is wrong and never repeats a part of the text, which
 * may hold a password.
 */
WEIR_MUST_USE
enum weir_status http_url_parse(const char *text, struct http_url *ret_url,
                                struct weir_error *err);
void http_url_finish(struct http_url *url); /* zeroed is fine */

#endif
